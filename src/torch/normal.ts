import { fillU32, skipU32, type TorchGenerator } from './generator.ts';
import { blockSize, normalBlock } from './normalBlock.ts';
import { asDraws, nextFloat64 } from './uniform.ts';

/** One standard normal in float64, from the cache or from two float64 uniforms (four draws). */
function nextNormal(g: TorchGenerator): number {
  if (g.cachedNormal !== undefined) {
    const cached = g.cachedNormal;
    g.cachedNormal = undefined;
    return cached;
  }
  const theta = 2 * Math.PI * nextFloat64(g);
  const radius = Math.sqrt(-2 * Math.log1p(-nextFloat64(g)));
  g.cachedNormal = radius * Math.sin(theta);
  return radius * Math.cos(theta);
}

/**
 * `tensor.normal_(mean, std)` in float32, by Box and Muller (1958).
 *
 * Below 16 elements: float64 pairs whose second half is cached in the generator. From 16 on: blocks
 * of 16 in float32, one draw an element, the cache left alone; where the size is no multiple of 16,
 * the last 16 elements are drawn once more as a block of their own.
 * Source: ATen/native/cpu/DistributionTemplates.h, normal_kernel.
 */
export function normal(g: TorchGenerator, out: Float32Array, mean: number, std: number): void {
  if (out.length < blockSize) {
    for (let i = 0; i < out.length; i++) out[i] = nextNormal(g) * std + mean;
    return;
  }
  const mean32 = Math.fround(mean);
  const std32 = Math.fround(std);
  const draws = asDraws(out);
  fillU32(g, draws);
  const last = out.length - blockSize;
  for (let start = 0; start <= last; start += blockSize) {
    normalBlock(draws, out, start, mean32, std32);
  }
  if (out.length % blockSize !== 0) {
    fillU32(g, draws.subarray(last));
    normalBlock(draws, out, last, mean32, std32);
  }
}

/** Advances as `normal` on `size` elements would. */
export function skipNormal(g: TorchGenerator, size: number): void {
  if (size >= blockSize) skipU32(g, size + (size % blockSize === 0 ? 0 : blockSize));
  else for (let i = 0; i < size; i++) nextNormal(g);
}
