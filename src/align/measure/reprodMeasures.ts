import type { Tensor } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';
import { castMean, pairwiseMean } from './pairwiseMean.ts';

/** What reprod_log measures: mean, largest and smallest |a − b|. */
export const reprodMethods = ['mean', 'max', 'min'] as const;

export type ReprodMethod = (typeof reprodMethods)[number];

export type ReprodMeasures = Readonly<Record<ReprodMethod, number>>;

const LARGEST_HALF = 65504;

/** The nearest float16, ties to even; infinity past the largest. */
export function roundToHalf(x: number): number {
  // float16 keeps eleven bits, and none below 2⁻²⁴.
  let step = 2 ** -24;
  while (Math.abs(x) >= 2 ** 11 * step && step < 2 ** 6) step *= 2;
  // 1.5·2⁵² steps leave no room for less than one step: the sum is rounded as IEEE rounds.
  const shift = 1.5 * 2 ** 52 * step;
  const rounded = x + shift - shift;
  return Math.abs(rounded) > LARGEST_HALF ? Math.sign(x) * Infinity : rounded;
}

const extremes = (values: Float64Array | Float32Array): { max: number; min: number } => {
  let [max, min] = [-Infinity, Infinity];
  for (let i = 0; i < values.length; i++) {
    max = Math.max(max, values[i]);
    min = Math.min(min, values[i]);
  }
  return { max, min };
};

/**
 * np.abs(a − b) and its mean, max and min as NumPy computes them for two arrays of one dtype and shape in
 * C order, to the last bit: the difference is rounded to the arrays' type, and the mean is summed in
 * NumPy's order. Integers and bools are the exception: they differ by what they differ by, where NumPy
 * wraps unsigned ones and refuses bools. Not to be called on empty arrays.
 */
export function reprodMeasures(a: Tensor, b: Tensor): ReprodMeasures {
  const exact = absoluteDifferences(a, b);
  if (a.dtype === 'float16') {
    const halves = Float32Array.from(exact, roundToHalf);
    return { mean: roundToHalf(castMean(halves)), ...extremes(halves) };
  }
  const rounded = a.dtype === 'float32' ? new Float32Array(exact) : exact;
  return { mean: pairwiseMean(rounded), ...extremes(rounded) };
}
