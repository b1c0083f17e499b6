import { type Tensor, tensor } from '../tensor/tensor.ts';
import type { Reference } from './reference.ts';

export const fakeImages = 'inputs/fake_data.npy';
export const fakeLabels = 'inputs/fake_label.npy';

/** The first `count` of the fixed fake images, or all: images [count, 3, 32, 32], labels [count]. */
export function fakeBatch(
  reference: Reference,
  count?: number,
): { readonly images: Tensor<'float32'>; readonly labels: Tensor<'int64'> } {
  const images = reference.input(fakeImages) as Tensor<'float32'>;
  const labels = reference.input(fakeLabels) as Tensor<'int64'>;
  const [all, ...image] = images.shape;
  const n = Math.min(count ?? all, all);
  const pixels = (images.data.length / all) * n;
  return {
    images: tensor('float32', [n, ...image], images.data.slice(0, pixels)),
    labels: tensor('int64', [n], labels.data.slice(0, n)),
  };
}
