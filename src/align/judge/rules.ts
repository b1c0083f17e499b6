import { type Tensor, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import type { CloseTolerance } from '../measure/allclose.ts';
import { isConstant } from '../measure/constant.ts';
import { distances } from '../measure/distance.ts';
import { type MeasureName, measures } from '../measure/measures.ts';
import { relativeError, rms } from '../measure/relativeError.ts';
import { asRecorded } from '../reference/recorded.ts';
import type {
  DistanceRule,
  EqualityRule,
  MeasuresRule,
  RelativeRule,
  TensorRule,
  UlpRule,
} from './expectation.ts';
import { byFloat64 } from './float64.ts';
import { incomparable } from './incomparable.ts';
import type { Finding, Judgement } from './judgement.ts';
import { check } from './verdict.ts';
import { worstBy, worstOf } from './worst.ts';

const problem = (text: string): Finding => ({ checks: [], problem: text });

function byDistance(found: Tensor, rule: DistanceRule): Judgement {
  const { method, to, threshold, beside, because } = rule;
  const sides = { ours: found, pytorch: beside?.pytorch ?? to };
  const wrong = incomparable(found, to);
  if (wrong !== undefined) return { finding: problem(wrong), ...sides };
  const measured = distances(found, to);
  const value = method === 'mean' ? measured.meanAbs : measured.relativeL2;
  const notes = [
    ...(because === undefined ? [] : [because]),
    ...(beside === undefined ? [] : [besideWords(found, beside)]),
  ];
  const judged = check(
    method,
    value,
    threshold,
    notes.length > 0 ? { note: notes.join('; ') } : {},
  );
  const finding: Finding = { checks: [judged], distances: measured };
  if (judged.passed) return { finding, ...sides };
  const allowed = method === 'mean' ? threshold : threshold * rms(to);
  const truth = beside === undefined ? {} : { truth: beside.truth };
  const worst = worstOf({ ...sides, ...truth, whole: found.shape }, allowed);
  return { finding: { ...finding, worst }, ...sides };
}

/** How far one number and PyTorch's are from float64. */
function besideWords(
  found: Tensor,
  { pytorch, truth }: NonNullable<DistanceRule['beside']>,
): string {
  const [ours, theirs, exact] = [found, pytorch, truth].map((t) => toFloat64(t)[0]);
  const short = (x: number): string => Math.abs(x).toExponential(1);
  return `from float64: ours ${short(ours - exact)}, PyTorch's ${short(theirs - exact)}`;
}

/** Rows of a tensor, and elements of a row; numbers of a list are its rows. */
function rowsOf(t: Tensor): { readonly count: number; readonly width: number } {
  const [count = 1, ...rest] = t.shape;
  return { count, width: rest.reduce((n, extent) => n * extent, 1) };
}

/** The rows of `to` that `found` does not repeat, or has not. */
function differingRows(found: Tensor, to: Tensor, within = 0): number[] {
  const { count, width } = rowsOf(to);
  const same = (k: number): boolean => {
    const [x, y] = [found.data[k], to.data[k]];
    return x === y || (within > 0 && x !== undefined && Math.abs(Number(x) - Number(y)) < within);
  };
  return Array.from({ length: count }, (_, i) => i).filter((i) => {
    for (let k = i * width; k < (i + 1) * width; k++) if (!same(k)) return true;
    return false;
  });
}

/** The first row in which two lists differ, Infinity where they are the same: which of several went wrong first. */
export function firstDifference(found: Tensor | undefined, to: Tensor): number {
  if (found === undefined || rowsOf(found).width !== rowsOf(to).width) return 0;
  const [a, b] = [rowsOf(found).count, rowsOf(to).count];
  return differingRows(found, to)[0] ?? (a > b ? b : Number.POSITIVE_INFINITY);
}

function byEquality(found: Tensor, rule: EqualityRule): Judgement {
  const { to, row = String, what, within, refuseConstant } = rule;
  const sides = { ours: found, pytorch: to };
  const [a, b] = [rowsOf(found), rowsOf(to)];
  const wrongShape = a.width !== b.width || found.shape.length !== to.shape.length;
  const unfit =
    (refuseConstant !== undefined && isConstant(found) && refuseConstant) ||
    (to.data.length === 0 && 'the reference holds nothing') ||
    (found.dtype !== to.dtype && `dtype ${found.dtype} against ${to.dtype}`) ||
    (wrongShape && (incomparable(found, to) ?? 'another shape'));
  if (unfit) return { finding: problem(unfit), ...sides };
  const differing = differingRows(found, to, within);
  const wrong = differing.length + Math.max(0, a.count - b.count);
  const lengths = a.count === b.count ? '' : `${a.count} instead of ${b.count}; `;
  const more = wrong > 1 ? `, ${wrong} in all` : '';
  const note =
    wrong === 0 ? what : `${lengths}first differs at ${row(differing[0] ?? b.count)}${more}`;
  return { finding: { checks: [check('equal', wrong, 0, { note })] }, ...sides };
}

/**
 * Largest error in units of the last place of each element's *history*: the largest value it had among
 * the terms that were added up. Adding numbers of opposite sign leaves a small sum with the rounding of
 * its large terms, whoever adds them; the unit there is the terms', not the sum's.
 */
export function historyUlps(ours: Tensor, theirs: Tensor, scales: Float64Array): number {
  const [a, b] = [toFloat64(ours), toFloat64(theirs)];
  return a.reduce((worst, x, i) => {
    const unit = 2 ** (Math.floor(Math.log2(Math.max(scales[i], 2 ** -126))) - 23);
    return Math.max(worst, Math.abs(x - b[i]) / unit);
  }, 0);
}

function byUlp(found: Tensor, { to, scales, threshold, because }: UlpRule): Judgement {
  const sides = { ours: found, pytorch: to };
  const wrong = incomparable(found, to);
  if (wrong !== undefined) return { finding: problem(wrong), ...sides };
  const note = because === undefined ? {} : { note: because };
  const checks = [check('ulp', historyUlps(found, to, scales), threshold, note)];
  return { finding: { checks }, ...sides };
}

const plain = (x: number): string => (x === 0 ? '0' : x.toExponential());

/** What a measure's value is of, where its threshold does not say it. */
const tolerated = (method: MeasureName, { rtol, atol }: CloseTolerance): { note?: string } =>
  method === 'allclose' ? { note: `rtol ${plain(rtol)}, atol ${plain(atol)}` } : {};

function byMeasures(found: Tensor, rule: MeasuresRule): Judgement {
  const { to, limits, tolerance, sides } = rule;
  const both = { ours: found, pytorch: to };
  const wrong = incomparable(found, to, sides);
  if (wrong !== undefined) return { finding: problem(wrong), ...both };
  const checks = limits.map(({ method, threshold }) => {
    const value = measures[method].value(found, to, tolerance);
    return check(method, value, threshold, tolerated(method, tolerance));
  });
  const finding: Finding = { checks, distances: distances(found, to) };
  const failed = limits.find((_, i) => !checks[i].passed);
  if (failed === undefined) return { finding, ...both };
  const { errors, allowed } = measures[failed.method];
  const worst = worstBy(
    { ...both, whole: found.shape },
    errors(found, to, tolerance),
    allowed(failed.threshold, to),
  );
  return { finding: { ...finding, worst: { ...worst, sides } }, ...both };
}

function byRelative(found: Tensor, { record, truth, scale, limit }: RelativeRule): Judgement {
  const picked = record === undefined ? found : asRecorded(found, record);
  const ours = tensor('float32', picked.shape, toFloat32(picked));
  const sides = { ours, pytorch: record?.pytorch ?? truth ?? ours };
  const wrong = record && incomparable(ours, record.pytorch);
  if (wrong !== undefined) return { finding: problem(wrong), ...sides };
  const off = (value: Tensor, to: Tensor | undefined): number =>
    to === undefined ? 0 : relativeError(value, to, scale?.value);
  const error = Math.max(off(picked, record?.truth), off(found, truth));
  const method = scale === undefined ? 'relative l2' : 'scaled';
  const checks = [check(method, error, limit.value, { note: limit.why })];
  const measured = record && { distances: distances(ours, record.pytorch) };
  return { finding: { checks, ...measured }, ...sides };
}

/** A backend in float64 holds the same number in other bytes. */
function inDtypeOf(found: Tensor, { dtype }: Tensor): Tensor {
  if (found.dtype !== 'float64' || dtype !== 'float32') return found;
  return tensor('float32', found.shape, toFloat32(found));
}

/** The same of a number in other bytes. */
const inItsType =
  <R extends { readonly to: Tensor }>(by: (found: Tensor, rule: R) => Judgement) =>
  (found: Tensor, rule: R): Judgement =>
    by(inDtypeOf(found, rule.to), rule);

const rules: {
  readonly [K in TensorRule['kind']]: (
    found: Tensor,
    rule: Extract<TensorRule, { kind: K }>,
  ) => Judgement;
} = {
  float64: byFloat64,
  distance: inItsType(byDistance),
  equality: inItsType(byEquality),
  ulp: inItsType(byUlp),
  measures: byMeasures,
  relative: byRelative,
};

/** Judges one tensor by its rule. */
export const judgeBy = (found: Tensor, rule: TensorRule): Judgement =>
  (rules[rule.kind] as (found: Tensor, rule: TensorRule) => Judgement)(found, rule);
