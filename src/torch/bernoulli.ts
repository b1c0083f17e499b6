import { fillU32, type TorchGenerator } from './generator.ts';
import { unitFloat64 } from './uniform.ts';

const chunk = 1024;

/**
 * `tensor.bernoulli_(p)` with a number p: 1 where a float64 uniform is below p, else 0. Two draws an
 * element, also for p = 0 and p = 1.
 * Source: ATen/native/cpu/DistributionTemplates.h, bernoulli_kernel without MKL.
 */
export function bernoulli(g: TorchGenerator, size: number, p: number): Uint8Array {
  const out = new Uint8Array(size);
  const draws = new Uint32Array(2 * Math.min(size, chunk));
  for (let start = 0; start < size; start += chunk) {
    const count = Math.min(chunk, size - start);
    fillU32(g, draws.subarray(0, 2 * count));
    for (let i = 0; i < count; i++) {
      out[start + i] = unitFloat64(draws[2 * i], draws[2 * i + 1]) < p ? 1 : 0;
    }
  }
  return out;
}
