import { expect, test } from 'vitest';
import { vggPreparation } from '../nn/models/preparation.ts';
import { startEpoch } from '../torch/dataLoader.ts';
import { generatorState, manualSeed } from '../torch/generator.ts';
import { normalisationTable, plainImages } from './augmentation.ts';
import { type ImageSet, imageBytes } from './cifar.ts';
import { evaluationBatches, trainingBatch } from './loader.ts';

const set: ImageSet = {
  images: Uint8Array.from({ length: 7 * imageBytes }, (_, i) => (i * 31) >>> 3),
  labels: Uint8Array.of(3, 1, 4, 1, 5, 2, 6),
  count: 7,
  classes: Array.from({ length: 10 }, (_, i) => `class ${i}`),
};

test('evaluation goes through the whole set in order, not augmented', () => {
  const batches = [...evaluationBatches(set, 3, vggPreparation)];
  expect(batches.map(({ images }) => images.shape[0])).toEqual([3, 3, 1]);
  expect(batches.flatMap(({ order }) => Array.from(order))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(batches.flatMap(({ labels }) => Array.from(labels.data, Number))).toEqual([
    3, 1, 4, 1, 5, 2, 6,
  ]);
  const table = normalisationTable(vggPreparation.normalisation);
  expect(batches[2].images.data).toEqual(plainImages(set.images, Int32Array.of(6), table));
});

test('with workers, batches come in any order and leave the main generator alone', () => {
  const g = manualSeed(1);
  const plan = startEpoch(g, { size: 7, shuffle: true, workers: 2 });
  const before = generatorState(g);
  const last = trainingBatch(set, plan, 3, 2, g, vggPreparation);
  trainingBatch(set, plan, 0, 2, g, vggPreparation);
  expect(trainingBatch(set, plan, 3, 2, g, vggPreparation)).toEqual(last);
  expect(last.order).toEqual(plan.order.slice(6));
  expect(generatorState(g)).toEqual(before);
});

test('without workers, each image of a batch costs three draws of the main generator', () => {
  const g = manualSeed(1);
  const plan = startEpoch(g, { size: 7, shuffle: true, workers: 0 });
  const from = g.next;
  trainingBatch(set, plan, 0, 4, g, vggPreparation);
  trainingBatch(set, plan, 1, 4, g, vggPreparation);
  expect(g.next - from).toBe(3 * 7);
});
