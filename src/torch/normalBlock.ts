import { fusedMultiplyAdd } from './float32.ts';
import { unit, unitBits } from './uniform.ts';

/*
 * Sixteen float32 normals at a time, as PyTorch's AVX2 kernel makes them
 * (ATen/native/cpu/DistributionTemplates.h, normal_fill_AVX2; ATen/native/cpu/avx_mathfun.h, after
 * the Cephes library's logf, sinf and cosf). An FMA instruction is written fround(a * b + c): for
 * all 2^24 arguments that the logarithm and the sines can meet, the second rounding is harmless.
 * What half of the draws do one way and half the other way is reckoned, not branched on: a processor
 * guesses such a branch wrong every other time.
 */

const { fround, clz32 } = Math;

export const blockSize = 16;
const half = blockSize / 2;

const sqrtHalf = fround(Math.SQRT1_2);
const log0 = fround(7.0376836292e-2);
const log1 = fround(-1.151461031e-1);
const log2 = fround(1.167699874e-1);
const log3 = fround(-1.2420140846e-1);
const log4 = fround(1.4249322787e-1);
const log5 = fround(-1.6668057665e-1);
const log6 = fround(2.0000714765e-1);
const log7 = fround(-2.4999993993e-1);
const log8 = fround(3.3333331174e-1);
const ln2Low = fround(-2.1219444e-4);
const ln2High = fround(0.693359375);

/** 2^-n, so that an n-bit integer becomes a mantissa in [½, 1). */
const scaleOfBits = Float32Array.from({ length: 33 }, (_, n) => 2 ** -n);
/** √½ as the 31 bits behind the point that mantissas are compared in. */
const sqrtHalfBits = sqrtHalf * 2 ** 31;

/** The natural logarithm of numerator·2^-24, for a numerator in 1 … 2^24. */
function logOfUnit(numerator: number): number {
  const free = clz32(numerator);
  const bits = 32 - free;
  const mantissa = numerator * scaleOfBits[bits];
  /** 1 where the mantissa is below √½, else 0. */
  const small = (((numerator << free) >>> 1) - sqrtHalfBits) >>> 31;
  const e = bits - 24 - small;
  const m = fround(fround(mantissa - 1) + small * mantissa);
  const z = fround(m * m);
  let y = fround(log0 * m + log1);
  y = fround(y * m + log2);
  y = fround(y * m + log3);
  y = fround(y * m + log4);
  y = fround(y * m + log5);
  y = fround(y * m + log6);
  y = fround(y * m + log7);
  y = fround(y * m + log8);
  y = fround(y * m);
  y = fround(y * z + fround(e * ln2Low));
  y = fround(y - z * 0.5);
  return fround(e * ln2High + fround(m + y));
}

const twoPi = fround(2 * Math.PI);
const octantsPerRadian = fround(4 / Math.PI);
const quarterPi0 = fround(-0.78515625);
const quarterPi1 = fround(-0.00024187564849853516);
const quarterPi2 = fround(-3.774894977445941e-8);
const cos0 = fround(2.443315711809948e-5);
const cos1 = fround(-1.388731625493765e-3);
const cos2 = fround(4.166664568298827e-2);
const sin0 = fround(-1.9515295891e-4);
const sin1 = fround(8.3321608736e-3);
const sin2 = fround(-1.6666654611e-1);

/**
 * Replaces a block of sixteen draws by sixteen normals, in place: draw k gives the radius and draw
 * k + 8 the angle of a Box–Muller pair, whose cosine half goes to k and sine half to k + 8.
 * `draws` and `out` are one memory; `mean` and `std` are float32.
 */
export function normalBlock(
  draws: Uint32Array,
  out: Float32Array,
  start: number,
  mean: number,
  std: number,
): void {
  for (let k = start; k < start + half; k++) {
    const log = logOfUnit(0x1000000 - (draws[k] & unitBits));
    const radius = fround(Math.sqrt(fround(-2 * log)));
    const theta = fround(twoPi * ((draws[k + half] & unitBits) * unit));

    const octant = ((fround(theta * octantsPerRadian) | 0) + 1) & ~1;
    let x = fround(octant * quarterPi0 + theta);
    x = fround(octant * quarterPi1 + x);
    x = fround(octant * quarterPi2 + x);
    const z = fround(x * x);
    let c = fround(z * cos0 + cos1);
    c = fround(z * c + cos2);
    c = fround(z * c);
    c = fround(c * z - z * 0.5);
    c = fround(c + 1);
    let s = fround(z * sin0 + sin1);
    s = fround(z * s + sin2);
    s = fround(z * s);
    s = fround(s * x + x);

    // In every other quadrant the two are the sine and cosine of what is left to a right angle.
    const swap = (octant >> 1) & 1;
    const sign = 1 - ((octant & 4) >> 1);
    const otherSign = 1 - (((octant ^ (octant << 1)) & 4) >> 1);
    out[k + half * (1 - swap)] = fusedMultiplyAdd(fround(radius * s * otherSign), std, mean);
    out[k + half * swap] = fusedMultiplyAdd(fround(radius * c * sign), std, mean);
  }
}
