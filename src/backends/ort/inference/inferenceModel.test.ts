import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { preResNet } from '../../../nn/models/preResNet.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import { wideResNet } from '../../../nn/models/wideResNet.ts';
import { initPlan, type Network } from '../../../nn/module.ts';
import { evaluationStep } from '../../../program/evaluationStep.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat64, zeros } from '../../../tensor/tensor.ts';
import { manualSeed } from '../../../torch/generator.ts';
import { initialise } from '../../../torch/initialise.ts';
import { uniform } from '../../../torch/uniform.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { inferenceModel } from './inferenceModel.ts';

const narrow: Readonly<Record<string, Network>> = {
  VGG: vgg({ depth: 16, batchNorm: false, classes: 7, narrow: 32 }),
  VGGBN: vgg({ depth: 16, batchNorm: true, classes: 7, narrow: 32 }),
  PreResNet: preResNet({ depth: 11, classes: 7, narrow: 4 }),
  WideResNet: wideResNet({ depth: 10, widen: 1, classes: 7 }),
};

const g = manualSeed(5);

function random(shape: readonly number[], low: number, high: number): Tensor<'float32'> {
  const t = zeros('float32', shape);
  uniform(g, t.data, low, high);
  return t;
}

/** Freshly drawn weights, but batch norms that have seen something: otherwise folding would do nothing. */
function used(model: Network): TensorMap {
  const weights = new Map<string, Tensor>(initialise(initPlan(model), g));
  for (const { name, shape } of model.state) {
    if (shape.length === 1) weights.set(name, random(shape, 0.2, 1.2));
  }
  return weights;
}

const images = random([5, 3, 32, 32], -1, 1);

const firstOf = (count: number): Tensor<'float32'> => {
  const shape = [count, 3, 32, 32];
  return tensor('float32', shape, images.data.slice(0, sizeOf(shape)));
};

async function logitsOf(bytes: Uint8Array, count: number): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(bytes);
  const { data, shape } = firstOf(count);
  const { logits } = await session.run({ images: new ort.Tensor('float32', data, shape) });
  await session.release();
  return logits as ort.Tensor;
}

/** The op types of a serialised model, by ONNX Runtime's own reading of the names of its nodes. */
const occurrences = (bytes: Uint8Array, text: string): number =>
  new TextDecoder('latin1').decode(bytes).split(text).length - 1;

describe.each(Object.entries(narrow))('%s as an ONNX file', (_, model) => {
  const weights = used(model);
  const options = { metadata: { model: 'a test' } };

  it.each([false, true])(
    'gives the oracle’s logits for any batch size, folded: %s',
    async (fold) => {
      const oracle = oracleBackend();
      const state = await oracle.upload(weights);
      const bytes = inferenceModel(model, weights, { ...options, foldBatchNorm: fold });
      for (const count of [1, 5]) {
        const executable = await oracle.compile(evaluationStep(model, [count, 3, 32, 32]), [
          'logits',
        ]);
        const results = await executable.run(
          state,
          new Map<string, Tensor>([
            ['images', firstOf(count)],
            ['labels', zeros('int64', [count])],
          ]),
        );
        const truth = toFloat64(results.get('logits')!);
        const found = await logitsOf(bytes, count);
        expect(found.dims).toEqual([count, 7]);
        const norm = Math.hypot(...truth);
        const error = Math.hypot(...truth.map((v, i) => v - Number(found.data[i])));
        expect(norm).toBeGreaterThan(0);
        expect(error / norm).toBeLessThan(2e-6);
      }
    },
  );

  it('declares a free batch and carries what a reader should know', async () => {
    const bytes = inferenceModel(model, weights, { ...options, foldBatchNorm: false });
    const session = await ort.InferenceSession.create(bytes);
    const [input] = session.inputMetadata;
    expect(input).toMatchObject({ name: 'images', shape: ['batch', 3, 32, 32] });
    expect(session.outputNames).toEqual(['logits']);
    await session.release();
    expect(occurrences(bytes, 'a test')).toBe(1);
  });
});

it('folding leaves no batch norm that follows a convolution', () => {
  const normsIn = (model: Network, foldBatchNorm: boolean): number =>
    occurrences(
      inferenceModel(model, used(model), { foldBatchNorm, metadata: {} }),
      '\x22\x12BatchNormalization',
    );
  // 13 convolutions with one each; a block of three and the end of the stream, which adds come before.
  expect(normsIn(narrow.VGGBN, true)).toBe(0);
  expect(normsIn(narrow.PreResNet, false)).toBe(normsIn(narrow.PreResNet, true) + 3 * 2);
});
