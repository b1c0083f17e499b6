import { fusedMultiplyAdd } from './float32.ts';
import { fillU32, nextU32, type TorchGenerator } from './generator.ts';

const { fround } = Math;

/** The 24 low bits of a draw are a float32 uniform's numerator. */
export const unitBits = 0xffffff;
export const unit = 2 ** -24;

/** A float32 array's memory as draws, so that they can be turned into values in place. */
export const asDraws = (out: Float32Array): Uint32Array =>
  new Uint32Array(out.buffer, out.byteOffset, out.length);

/**
 * `tensor.uniform_(from, to)` in float32: x·(to − from) + from with one rounding (the compiler fuses
 * it), x a multiple of 2^-24 in [0, 1). One draw an element.
 * Source: ATen/core/TransformationHelper.h, uniform_real.
 */
export function uniform(g: TorchGenerator, out: Float32Array, from: number, to: number): void {
  const low = fround(from);
  const width = fround(fround(to) - low);
  const draws = asDraws(out);
  fillU32(g, draws);
  for (let i = 0; i < out.length; i++) {
    out[i] = fusedMultiplyAdd((draws[i] & unitBits) * unit, width, low);
  }
}

/** `torch.rand(size)` in float32: one draw an element. */
export function rand(g: TorchGenerator, size: number): Float32Array {
  const out = new Float32Array(size);
  const draws = asDraws(out);
  fillU32(g, draws);
  for (let i = 0; i < size; i++) out[i] = (draws[i] & unitBits) * unit;
  return out;
}

/** One float64 uniform from two draws, a multiple of 2^-53 in [0, 1): the first gives the top 21 bits. */
export const unitFloat64 = (high: number, low: number): number =>
  ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53;

/** One float64 uniform in [0, 1): two draws. */
export function nextFloat64(g: TorchGenerator): number {
  const high = nextU32(g);
  return unitFloat64(high, nextU32(g));
}
