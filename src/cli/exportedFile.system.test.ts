import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { fixturesDirectory } from '../fixtures.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { type ModelName, models } from '../nn/models/index.ts';
import { preResNet } from '../nn/models/preResNet.ts';
import { vgg } from '../nn/models/vgg.ts';
import { wideResNet } from '../nn/models/wideResNet.ts';
import { initPlan, type Network } from '../nn/module.ts';
import { type Tensor, zeros } from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { uniform } from '../torch/uniform.ts';
import { stateDict } from '../train/stateDict.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir, printed } = commandTest('exported-file');

/** The seven models with as few and as narrow layers as their papers' patterns allow. */
const small: { readonly [M in ModelName]: (classes: number) => Network } = {
  vgg16: (classes) => vgg({ depth: 16, batchNorm: false, classes, narrow: 16 }),
  vgg16bn: (classes) => vgg({ depth: 16, batchNorm: true, classes, narrow: 16 }),
  vgg19: (classes) => vgg({ depth: 19, batchNorm: false, classes, narrow: 16 }),
  vgg19bn: (classes) => vgg({ depth: 19, batchNorm: true, classes, narrow: 16 }),
  preresnet110: (classes) => preResNet({ depth: 11, classes, narrow: 4 }),
  preresnet164: (classes) => preResNet({ depth: 20, classes, narrow: 4 }),
  wideresnet28x10: (classes) => wideResNet({ depth: 10, widen: 1, classes }),
};
for (const name of Object.keys(small) as ModelName[]) {
  Object.assign(models[name], { build: small[name] });
}

function usedWeights(model: Network): Map<string, Tensor> {
  const g = manualSeed(9);
  const weights = new Map<string, Tensor>(initialise(initPlan(model), g));
  for (const { name, shape } of model.state) {
    if (shape.length > 1) continue;
    const values = zeros('float32', shape);
    uniform(g, values.data, 0.8, 1.2);
    weights.set(name, values);
  }
  return weights;
}

/** The synthetic test set as it lies on the disk: a byte for the class, then a byte a pixel, plane by plane. */
function records() {
  const bytes = readFileSync(
    join(fixturesDirectory, 'synthetic', 'cifar-10-batches-bin', 'test_batch.bin'),
  );
  const count = bytes.length / 3073;
  return Array.from({ length: count }, (_, i) => bytes.subarray(3073 * i, 3073 * (i + 1)));
}

/** Who has only the file: prepares the images as its metadata say, and computes the mean cross-entropy. */
async function lossByMetadata(file: string, metadata: ReadonlyMap<string, string>) {
  const [mean, std] = ['mean', 'std'].map((key) => metadata.get(key)!.split(',').map(Number));
  const set = records();
  const pixels = Float32Array.from({ length: set.length * 3072 }, (_, i) => {
    const channel = Math.floor((i % 3072) / 1024);
    return (set[Math.floor(i / 3072)][1 + (i % 3072)] / 255 - mean[channel]) / std[channel];
  });
  const session = await ort.InferenceSession.create(file);
  const images = new ort.Tensor('float32', pixels, [set.length, 3, 32, 32]);
  const { logits } = await session.run({ images });
  await session.release();
  const [count, classes] = logits.dims;
  expect(classes).toBe(Number(metadata.get('classes')));
  const values = logits.data as Float32Array;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const row = [...values.subarray(i * classes, (i + 1) * classes)];
    const highest = Math.max(...row);
    const total = row.reduce((all, value) => all + Math.exp(value - highest), 0);
    sum += Math.log(total) - (row[set[i][0]] - highest);
  }
  return sum / count;
}

describe('an exported ONNX file tells how its model wants its images', () => {
  test.each(Object.keys(small) as ModelName[])('%s', async (name) => {
    const [weights, file] = [join(dir, `${name}.npz`), join(dir, `${name}.onnx`)];
    const model = small[name](10);
    writeFileSync(weights, writeNpz(stateDict(model, usedWeights(model), 1)));
    const of = ['--checkpoint', weights, '--model', name];
    expect(await run(['eval', ...of, '--dataset', 'synthetic', '--device', 'cpu'])).toBe(0);
    const [, evaluated] = /^loss .*\((.*)\)$/m.exec(printed.join('')) ?? [];
    expect(await run(['export', ...of, '--out', file])).toBe(0);

    const { metadataProps } = fromBinary(ModelProtoSchema, readFileSync(file));
    const metadata = new Map(metadataProps.map(({ key, value }) => [key!, value!]));
    expect(metadata.get('model')?.toLowerCase()).toBe(name);
    const found = await lossByMetadata(file, metadata);
    expect(found / Number(evaluated)).toBeCloseTo(1, 5);
  });
});
