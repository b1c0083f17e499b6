import type { Preparation } from '../nn/models/preparation.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { batchCount, batchGenerator, batchOrder, type EpochPlan } from '../torch/dataLoader.ts';
import type { TorchGenerator } from '../torch/generator.ts';
import {
  augmentImages,
  drawAugmentation,
  drawsPerImage,
  normalisationTable,
  plainImages,
} from './augmentation.ts';
import { type ImageSet, imageChannels, imageSide } from './cifar.ts';

export interface Batch {
  /** Which samples of the set these are. */
  readonly order: Int32Array;
  /** [batch, 3, 32, 32] */
  readonly images: Tensor<'float32'>;
  /** [batch] */
  readonly labels: Tensor<'int64'>;
}

const assemble = (set: ImageSet, order: Int32Array, pixels: Float32Array): Batch => ({
  order,
  images: tensor('float32', [order.length, imageChannels, imageSide, imageSide], pixels),
  labels: tensor(
    'int64',
    [order.length],
    BigInt64Array.from(order, (sample) => BigInt(set.labels[sample])),
  ),
});

/**
 * Batch `k` of a pass, augmented. Without workers its transforms draw from `main` when this is
 * called, so batches must be asked for once and in turn; with workers `main` is left alone and any
 * batch may be asked for at any time.
 */
export function trainingBatch(
  set: ImageSet,
  plan: EpochPlan,
  k: number,
  batchSize: number,
  main: TorchGenerator,
  { normalisation, firstTransform }: Preparation,
): Batch {
  const order = batchOrder(plan, k, batchSize);
  const g = batchGenerator(plan, k, drawsPerImage * batchSize, main);
  const drawn = drawAugmentation(g, order.length, firstTransform);
  const table = normalisationTable(normalisation);
  return assemble(set, order, augmentImages(set.images, order, drawn, table));
}

/** The samples at `order`, normalised but not augmented. */
export const plainBatch = (
  set: ImageSet,
  order: Int32Array,
  { normalisation }: Preparation,
): Batch => assemble(set, order, plainImages(set.images, order, normalisationTable(normalisation)));

/** The whole set in its own order, not augmented, the short last batch included. Draws nothing. */
export function* evaluationBatches(
  set: ImageSet,
  batchSize: number,
  preparation: Preparation,
): Generator<Batch> {
  for (let k = 0; k < batchCount(set.count, batchSize); k++) {
    const first = k * batchSize;
    const length = Math.min(batchSize, set.count - first);
    yield plainBatch(
      set,
      Int32Array.from({ length }, (_, i) => first + i),
      preparation,
    );
  }
}
