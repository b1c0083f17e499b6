import { seeded, uniform } from '../../../test/support/draws.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { weightsFromSeed } from '../reference/seedWeights.ts';

/** VGG16 at a sixteenth of its width. */
export const narrowModel = (batchNorm = false) =>
  vgg({ depth: 16, batchNorm, classes: 10, narrow: 16 });

export const narrowWeights = (batchNorm = false): Map<string, Tensor> =>
  new Map<string, Tensor>(weightsFromSeed(narrowModel(batchNorm), 3));

/** A batch of random images as `kinkfree.npz` holds one; no decision was looked at. */
export function randomBatch(seed: number, iterations: number, images = 4): TensorMap {
  const random = seeded(seed);
  const drawn = uniform(random, [images, 3, 32, 32], 0, 1);
  const mask = (): Tensor =>
    tensor(
      'uint8',
      [iterations, images, 32],
      Uint8Array.from({ length: iterations * images * 32 }, () => (random() < 0.5 ? 0 : 1)),
    );
  const labels = BigInt64Array.from({ length: images }, (_, i) => BigInt((3 * i) % 10));
  return new Map<string, Tensor>([
    ['images', tensor('float32', drawn.shape, toFloat32(drawn))],
    ['labels', tensor('int64', [images], labels)],
    ['mask0', mask()],
    ['mask1', mask()],
  ]);
}
