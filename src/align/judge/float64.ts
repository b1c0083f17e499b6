import { type Tensor, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import { isConstant } from '../measure/constant.ts';
import { distances } from '../measure/distance.ts';
import { relativeError, rms } from '../measure/relativeError.ts';
import { asRecorded, type RecordedTensor } from '../reference/recorded.ts';
import { type Moments, momentsOf } from '../reference/samplePositions.ts';
import type { Float64Rule, Tolerance } from './expectation.ts';
import { incomparable } from './incomparable.ts';
import type { Judgement } from './judgement.ts';
import { type Unit, unitOf } from './limits.ts';
import { tolerances } from './tolerances.ts';
import { type Check, check } from './verdict.ts';
import { worstOf } from './worst.ts';

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

/** How far PyTorch's float32 is from the truth, over `scale` where that is given, and what ours is counted in. */
export function errorOfPyTorch(
  { pytorch, truth, rounding }: RecordedTensor,
  scale?: number,
): { readonly own: number; readonly unit: Unit } {
  const own = relativeError(pytorch, truth, scale);
  return { own, unit: unitOf(own, rounding) };
}

/** The largest error to the truth that passes, over the tolerance's scale or else the truth's own size. */
export function largestError(
  record: RecordedTensor,
  { relativeL2, scale, unit, bySpread = false, ratio = tolerances.ratio }: Tolerance,
): number {
  if (bySpread) return relativeL2;
  const counted = unit ?? errorOfPyTorch(record, scale?.value).unit;
  return Math.min(relativeL2, ratio * counted.value);
}

/**
 * Judges a tensor against its record by its distance to the float64 truth: in units of PyTorch's own distance, and
 * never beyond the upper bound of the tolerance. A truth that is the same everywhere is refused: agreeing with it
 * proves nothing.
 */
export function byFloat64(
  found: Tensor,
  { record, tolerance, meanAbs, axes }: Float64Rule,
): Judgement {
  const { relativeL2, scale, bySpread = false, ratio = tolerances.ratio } = tolerance;
  const picked = asRecorded(found, record);
  const ours = tensor('float32', picked.shape, toFloat32(picked));
  const sides = { ours, pytorch: record.pytorch };
  const constant =
    !tolerance.constant && isConstant(record.truth)
      ? `the reference is ${toFloat64(record.truth)[0]} everywhere, which proves nothing`
      : undefined;
  const problem = incomparable(ours, record.pytorch) ?? constant;
  if (problem !== undefined) return { finding: { checks: [], problem }, ...sides };

  const error = relativeError(picked, record.truth, scale?.value);
  const { own, unit: usual } = errorOfPyTorch(record, scale?.value);
  const unit = tolerance.unit ?? usual;
  const measured = distances(ours, record.pytorch);
  const asUnit =
    unit.value === record.rounding || tolerance.unit !== undefined
      ? { note: `of ${unit.what}` }
      : {};
  const checks: Check[] = [
    ...(meanAbs === undefined ? [] : [check('mean', measured.meanAbs, meanAbs)]),
    scale === undefined
      ? check('relative l2', error, relativeL2, { pytorch: own })
      : check('scaled', error, relativeL2, {
          pytorch: own,
          note: `zero but for rounding: RMS error over ${scale.what}`,
        }),
    ...(bySpread ? [] : [check('ratio', error / unit.value, ratio, asUnit)]),
  ];
  if (record.moments !== undefined && scale === undefined) {
    const size = found.data.length;
    const excess = momentsExcess(momentsOf(found), record.moments, size, relativeL2);
    checks.push(check('moments', excess, 1, { note: 'largest share of the allowed difference' }));
  }
  const finding = { checks, distances: measured };
  // Where only the moments fail, what is wrong was not recorded.
  if (checks.every((c) => c.passed || c.method === 'moments')) return { finding, ...sides };
  // An element is beyond what is allowed when it alone is further off than the whole may be in the root mean square.
  const relative = largestError(record, tolerance);
  const allowed = relative * (scale?.value ?? rms(record.truth));
  const worst = worstOf(
    { ...sides, truth: record.truth, whole: found.shape, ...(axes && { axes }) },
    allowed,
    relative,
  );
  return { finding: worst.beyond === 0 ? finding : { ...finding, worst }, ...sides };
}
