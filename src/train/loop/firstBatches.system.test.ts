import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonHas } from '../../../test/support/pythons.ts';
import { scratch, tinyDataset, tinyModel, tinySettings } from '../../../test/trainTinyRun.ts';
import { nextStep, openTrainingStream } from '../../data/trainingStream.ts';
import { readNpzFile } from '../../io/numpy/npz.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { readWeights } from '../../io/weights.ts';
import { models } from '../../nn/models/index.ts';
import { initPlan } from '../../nn/module.ts';
import { evaluationPassDraws } from '../../torch/dataLoader.ts';
import { openDataset } from '../dataset.ts';
import { settingsFrom } from '../settings/trainingSettings.ts';
import { fittedWeights } from '../stateDict.ts';
import { firstBatches, npzOf } from './firstBatches.ts';
import { streamSettings } from './session.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

test('the arrays are what the training stream draws, evaluations between the epochs included', () => {
  const { weights, arrays } = firstBatches(tinySettings, tinyModel, tinyDataset, 5);
  const file = join(s.dir, 'tiny.npz');
  writeFileAtomic(file, npzOf(arrays));
  const found = readNpzFile(file);
  const opened = openTrainingStream({
    ...streamSettings(tinySettings, tinyModel, tinyDataset),
    seed: tinySettings.seed,
    plan: initPlan(tinyModel),
    secondModel: true,
  });
  expect(weights.get('features.3.weight')).toEqual(opened.weights.get('features.3.weight'));
  for (let k = 0; k < 5; k++) {
    const step = nextStep(opened.stream);
    // After epoch 0 only the model itself is evaluated.
    if (k === 2) evaluationPassDraws(opened.stream.generator);
    expect(Array.from(found.get(`order_${k}`)!.data, Number)).toEqual(Array.from(step.order));
    expect(found.get(`labels_${k}`)).toEqual(step.labels);
    expect(found.get(`images_${k}`)).toEqual(step.images);
    expect(found.get(`mask0_${k}`)).toMatchObject({
      dtype: 'uint8',
      shape: [step.order.length, 32],
    });
    expect(found.get(`mask1_${k}`)!.data).toEqual(step.masks[1]);
  }
  expect(found.size).toBe(25);
});

test('the file of weights and batches is a file of weights, whatever lies beside them', () => {
  const { weights, arrays } = firstBatches(tinySettings, tinyModel, tinyDataset, 2);
  const file = join(s.dir, 'both.npz');
  writeFileAtomic(file, npzOf([...weights, ...arrays]));
  const fitted = fittedWeights(tinyModel, readWeights(file), file);
  expect([...fitted.weights.keys()]).toEqual(tinyModel.state.map(({ name }) => name));
  expect(fitted.weights.get('features.3.weight')).toEqual(weights.get('features.3.weight'));
  expect(fitted.notes).toEqual(['order_0 and 9 more left out: no weights, but what steps see']);
});

const hasTorch = pythonHas(['numpy', 'torch']);

test.skipIf(!hasTorch).each([true, false])(
  'PyTorch draws the same batches and weights over two epochs, --swa %s',
  { timeout: 120_000 },
  (swa) => {
    const settings = settingsFrom({ dataset: 'synthetic', swa, batchSize: 96, seed: 7 });
    const dataset = openDataset('synthetic', undefined);
    const count = Math.ceil(dataset.train.count / 96) + 2;
    const model = models.vgg16.build(10);
    const { weights, arrays } = firstBatches(settings, model, dataset, count);
    const file = join(s.dir, `swa-${swa}.npz`);
    function* all() {
      yield* weights;
      yield* arrays;
    }
    writeFileAtomic(file, npzOf(all()));
    const script = fileURLToPath(new URL('../../../test/trainBatches.py', import.meta.url));
    const fixtures = fileURLToPath(new URL('../../../fixtures/synthetic', import.meta.url));
    const models_built = swa ? '2' : '1';
    const argv = [script, file, fixtures, '7', '96', String(count), models_built];
    expect(execFileSync('python3', argv, { encoding: 'utf8' }).trim()).toBe(
      `${count} batches and 32 tensors are equal`,
    );
  },
);
