import { nextU32, random64, type TorchGenerator } from './generator.ts';

/**
 * One element of `torch.randint(low, high)` or `tensor.random_(low, high)` for a range below 2^32:
 * low plus a draw modulo the range. One draw.
 * Source: ATen/core/DistributionsHelper.h, uniform_int_from_to_distribution.
 */
export const randint = (g: TorchGenerator, low: number, high: number): number =>
  low + (nextU32(g) % (high - low));

/** One element of an int64 `tensor.random_()`: 63 bits of two draws. */
export const randomInt64 = (g: TorchGenerator): bigint => BigInt.asUintN(63, random64(g));

/** From here on PyTorch draws 64 bits an element. */
const largestPermutation = Math.floor((2 ** 32 - 1) / 20);

/**
 * `torch.randperm(n)`: swaps each of 0 … n−2 with a place at or after it. n − 1 draws, none for n < 2.
 * Source: ATen/native/TensorFactories.cpp, randperm_cpu.
 */
export function randperm(g: TorchGenerator, n: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || n >= largestPermutation) {
    throw new RangeError(`randperm of ${n}: only 0 to ${largestPermutation - 1} are drawn exactly`);
  }
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const other = i + (nextU32(g) % (n - i));
    const value = order[i];
    order[i] = order[other];
    order[other] = value;
  }
  return order;
}
