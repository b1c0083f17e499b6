import { bernoulli } from './bernoulli.ts';
import type { TorchGenerator } from './generator.ts';

/**
 * Which elements a training `nn.Dropout(p)` keeps: 1 kept, 0 dropped, row-major over its input of
 * `size` elements. Two draws an element; none for p = 0 (all kept) and p = 1 (all dropped).
 * Source: ATen/native/Dropout.cpp, _dropout_impl.
 */
export function dropoutMask(g: TorchGenerator, p: number, size: number): Uint8Array {
  if (p === 0) return new Uint8Array(size).fill(1);
  if (p === 1) return new Uint8Array(size);
  return bernoulli(g, size, 1 - p);
}

/** The float32 factor on what is kept, 1/(1 − p); 0 for p = 1, where nothing is. */
export const dropoutScale = (p: number): number =>
  p === 1 ? 0 : Math.fround(1 / Math.fround(1 - p));
