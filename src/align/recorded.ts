import {
  elementAt,
  type Tensor,
  type TensorMap,
  tensor,
  toFloat32,
  toFloat64,
} from '../tensor/tensor.ts';
import { incomparable } from './compareMaps.ts';
import { distances } from './distance.ts';
import { gather, type Moments, momentsOf, samplePositions } from './samplePositions.ts';
import { tolerances } from './tolerances.ts';
import { type Check, check, type Verdict } from './verdict.ts';
import { relativeError, type Unit, unitOf } from './yardstick.ts';

/** One tensor as the reference holds it: whole, or a sample with the moments of the whole. */
export interface Recorded {
  /** PyTorch's float32. */
  readonly pytorch: Tensor;
  /** PyTorch's float64 on the same inputs: the truth both are measured by. */
  readonly truth: Tensor;
  readonly moments?: Moments;
  /**
   * The largest error to the truth that PyTorch's float32 makes on the whole tensor when it adds in other orders
   * (`fixtures/reference_export/rounding.py`). Recorded where samples are short: a single run may be right on a
   * few elements by luck.
   */
  readonly rounding?: number;
}

const momentsFrom = (stats: Tensor | undefined): Moments | undefined => {
  if (stats === undefined) return undefined;
  const [sum, sumOfSquares, min, max] = toFloat64(stats);
  return { sum, sumOfSquares, min, max };
};

/** Finds `name` among a reference file's arrays; undefined when it was not recorded. */
export function recorded(arrays: TensorMap, name: string): Recorded | undefined {
  const pytorch = arrays.get(`f32/${name}`);
  const truth = arrays.get(`f64/${name}`);
  const rounding = arrays.get(`rounding/${name}`);
  const spread = rounding === undefined ? {} : { rounding: toFloat64(rounding)[0] };
  if (pytorch !== undefined && truth !== undefined) return { pytorch, truth, ...spread };
  const sample = arrays.get(`f32/${name}#sample`);
  const truthSample = arrays.get(`f64/${name}#sample`);
  const moments = momentsFrom(arrays.get(`f64/${name}#stats`));
  if (sample === undefined || truthSample === undefined || moments === undefined) return undefined;
  return { pytorch: sample, truth: truthSample, moments, ...spread };
}

/** The elements of a whole tensor that the reference holds of it. */
export const asRecorded = (whole: Tensor, { moments, pytorch }: Recorded): Tensor =>
  moments === undefined
    ? whole
    : gather(whole, samplePositions(whole.data.length, pytorch.data.length));

/** Names under a prefix, without it: `recordedNames(arrays, 'iter0/')`. */
export function recordedNames(arrays: TensorMap, prefix: string): string[] {
  const start = `f32/${prefix}`;
  const names = [...arrays.keys()].filter(
    (key) => key.startsWith(start) && !key.endsWith('#stats'),
  );
  return names.map((key) => key.slice(start.length).replace(/#sample$/, ''));
}

export interface Tolerance {
  /** Upper bound on ‖ours − truth‖ / ‖truth‖, whatever PyTorch's own. */
  readonly relativeL2: number;
  /**
   * For a tensor whose truth is zero but for rounding (a bias that batch norm cancels): the scale its
   * error is measured by instead, and what that scale is.
   */
  readonly scale?: { readonly value: number; readonly what: string };
  /**
   * True where the bound above is itself PyTorch's spread over several orders of summation: after steps of
   * training a single run's distance to the truth is chance, and no unit to measure ours by.
   */
  readonly bySpread?: boolean;
}

/**
 * If ‖ours − truth‖ ≤ ε‖truth‖ then the sums differ by at most ε√n‖truth‖, the sums of squares by
 * (2ε + ε²)‖truth‖² and each extreme by ε‖truth‖. So these ratios of difference to bound, all ≤ 1, are
 * what the unrecorded elements must satisfy; the largest is the result.
 */
function momentsExcess(ours: Moments, truth: Moments, size: number, epsilon: number): number {
  const norm = Math.sqrt(truth.sumOfSquares);
  const slack = epsilon * norm;
  return Math.max(
    Math.abs(ours.sum - truth.sum) / (slack * Math.sqrt(size)),
    Math.abs(ours.sumOfSquares - truth.sumOfSquares) / ((2 + epsilon) * slack * norm),
    Math.abs(ours.min - truth.min) / slack,
    Math.abs(ours.max - truth.max) / slack,
  );
}

/** The same value in every element, of which there are several. */
export function isConstant(t: Tensor): boolean {
  const first = elementAt(t, 0);
  for (let i = 1; i < t.data.length; i++) if (elementAt(t, i) !== first) return false;
  return t.data.length > 1;
}

/** Errors to the truth on the recorded elements. */
export interface Errors {
  readonly ours: number;
  readonly pytorch: number;
  /** What ours is counted in. */
  readonly unit: Unit;
}

/** How far our recorded elements, and PyTorch's, are from the truth; over `scale` where that is given. */
export function errorsOf(
  picked: Tensor,
  { pytorch, truth, rounding }: Recorded,
  scale?: number,
): Errors {
  const own = relativeError(pytorch, truth, scale);
  return { ours: relativeError(picked, truth, scale), pytorch: own, unit: unitOf(own, rounding) };
}

export interface JudgedTensor {
  readonly verdict: Verdict;
  /** Both sides as compared (samples of large tensors), for the recordings. */
  readonly ours: Tensor;
  readonly pytorch: Tensor;
}

/**
 * Judges one tensor against its record by its distance to the float64 truth: in units of PyTorch's own
 * distance, and never beyond the upper bound of the tolerance. A truth that is the same everywhere is
 * refused: agreeing with it proves nothing.
 */
export function judgeRecorded(
  name: string,
  ours: Tensor,
  record: Recorded,
  { relativeL2, scale, bySpread = false }: Tolerance,
): JudgedTensor {
  const picked = asRecorded(ours, record);
  const single = tensor('float32', picked.shape, toFloat32(picked));
  const sides = { ours: single, pytorch: record.pytorch };
  const fail = (problem: string): JudgedTensor => ({
    verdict: { name, checks: [], problem },
    ...sides,
  });
  const problem = incomparable(single, record.pytorch);
  if (problem !== undefined) return fail(problem);
  const truth = toFloat64(record.truth);
  if (isConstant(record.truth))
    return fail(`the reference is ${truth[0]} everywhere, which proves nothing`);

  const errors = errorsOf(picked, record, scale?.value);
  const { ours: error, pytorch: own, unit } = errors;
  const asUnit = unit.value === record.rounding ? { note: `of ${unit.what}` } : {};
  const checks: Check[] = [
    scale === undefined
      ? check('relative l2', error, relativeL2, { pytorch: own })
      : check('scaled', error, relativeL2, {
          pytorch: own,
          note: `zero but for rounding: RMS error over ${scale.what}`,
        }),
    ...(bySpread ? [] : [check('ratio', error / unit.value, tolerances.ratio, asUnit)]),
  ];
  if (record.moments !== undefined && scale === undefined) {
    const size = ours.data.length;
    const excess = momentsExcess(momentsOf(ours), record.moments, size, relativeL2);
    checks.push(check('moments', excess, 1, { note: 'largest share of the allowed difference' }));
  }
  return { verdict: { name, checks, distances: distances(single, record.pytorch) }, ...sides };
}
