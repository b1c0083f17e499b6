import type { MeasuresRule, TensorRule, UlpRule } from '../align/judge/expectation.ts';
import { largestError } from '../align/judge/float64.ts';
import type { MeasureName } from '../align/measure/measures.ts';
import { rms } from '../align/measure/relativeError.ts';
import { lastPlaceOf } from '../align/measure/ulp.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What a bfloat16 may be off: a limit beyond it, as absolute ones are of small tensors, tells no cause from another. */
const coarsest = 2 ** -6;

/** Undoing a factor rounds once more. */
const undone = 2 ** -50;

/** A distance that passes, over the size of what is held against it. */
const over = (to: Tensor, distance: number): number => distance / rms(to);

type OfMeasure = (threshold: number, rule: MeasuresRule) => number;

/** The relative error at which a measure is at its threshold, every element being off alike. */
const byMeasure: { readonly [M in MeasureName]: OfMeasure } = {
  mean: (threshold, { to }) => over(to, threshold),
  max: (threshold, { to }) => over(to, threshold),
  min: (threshold, { to }) => over(to, threshold),
  relative: (threshold) => threshold,
  // 1 − cos is half the square of the distance of the directions.
  cosine: (threshold) => Math.sqrt(2 * threshold),
  ulp: (threshold, { to }) => threshold * (lastPlaceOf(to) ?? 1 / rms(to)),
  allclose: (threshold, { to, tolerance: { rtol, atol } }) =>
    threshold * over(to, atol + rtol * rms(to)),
};

/** The same where each element has a unit of its own. */
function byUlp({ to, scales, threshold }: UlpRule): number {
  const squares = scales.reduce((sum, scale) => {
    const unit = 2 ** (Math.floor(Math.log2(Math.max(scale, 2 ** -126))) - 23);
    return sum + unit * unit;
  }, 0);
  return over(to, threshold * Math.sqrt(squares / scales.length));
}

const byRule: {
  readonly [K in TensorRule['kind']]: (rule: Extract<TensorRule, { kind: K }>) => number;
} = {
  float64: ({ record, tolerance }) => largestError(record, tolerance),
  distance: ({ method, to, threshold }) => (method === 'mean' ? over(to, threshold) : threshold),
  equality: ({ to }) => (to.dtype === 'float64' ? undone : 0),
  ulp: byUlp,
  measures: (rule) =>
    Math.min(...rule.limits.map(({ method, threshold }) => byMeasure[method](threshold, rule))),
  relative: ({ limit }) => limit.value,
};

/** The largest relative error, in the root mean square, that passes by a rule. */
export const limitOf = (rule: TensorRule): number =>
  Math.min(coarsest, (byRule[rule.kind] as (rule: TensorRule) => number)(rule));
