import { sizeOf } from '../../../tensor/shape.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { settingOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

/** How two tensors with zeros in them agree. */
interface Supports {
  /** Elements that are zero in the truth alone, in ours alone, in both. */
  readonly onlyTruth: number;
  readonly onlyOurs: number;
  readonly both: number;
  /** Indices at which neither is. */
  readonly kept: readonly number[];
}

function supportsOf({ ours, truth }: Numbers): Supports {
  let [onlyTruth, onlyOurs, both] = [0, 0, 0];
  const kept: number[] = [];
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] !== 0 && ours[i] !== 0) kept.push(i);
    else if (truth[i] !== 0) onlyOurs++;
    else if (ours[i] !== 0) onlyTruth++;
    else both++;
  }
  return { onlyTruth, onlyOurs, both, kept };
}

/** ‖ours − by · truth‖ over what both keep, by the unit. */
function leftOn({ ours, truth, unit }: Numbers, kept: readonly number[], by: number): number {
  let squares = 0;
  for (const i of kept) squares += (ours[i] / by - truth[i]) ** 2;
  return Math.sqrt(squares / kept.length) / unit;
}

/** Of fewer that agree, it may be luck. */
const fewestKept = 8;

/** With which probability the layer drops, where it says so. */
function probabilityOf(suspect: Suspect): number | undefined {
  const p = suspect.what?.includes('ropout') ? settingOf(suspect, 'p') : undefined;
  return p !== undefined && p > 0 && p < 1 ? p : undefined;
}

/** So much that both drop the same number of elements, give or take. */
const standardDeviations = 4;

const near = (share: number, p: number, n: number): boolean =>
  Math.abs(share - p) <= standardDeviations * Math.sqrt((p * (1 - p)) / n) + 1 / n;

/** Elements of which so few are zero have no mask. */
const fewestDropped = 0.02;

/** The factor that brings what both keep nearest, in the least squares. */
function fittedOn({ ours, truth }: Numbers, kept: readonly number[]): number {
  let [cross, square] = [0, 0];
  for (const i of kept) {
    cross += ours[i] * truth[i];
    square += truth[i] * truth[i];
  }
  return cross / square;
}

/**
 * By which factor what is kept may be off: not at all, or by that of dropout; the nearest, and what it leaves. Where
 * nobody says with which probability it drops, the factor is fitted and must go with the share that is dropped.
 */
function factorOf(
  numbers: Numbers,
  kept: readonly number[],
  { p, share }: { readonly p: number | undefined; readonly share: number },
): { readonly by: number; readonly left: number } {
  const fitted = fittedOn(numbers, kept);
  const implied = fitted < 1 ? 1 - fitted : 1 - 1 / fitted;
  const fits = fitted > 0 && near(share, implied, numbers.truth.length);
  const factors = p === undefined ? (fits ? [fitted] : []) : [1 - p, 1 / (1 - p)];
  return [1, ...factors]
    .map((by) => ({ by, left: leftOn(numbers, kept, by) }))
    .reduce((a, b) => (b.left < a.left ? b : a));
}

const scaleWords = (by: number): string =>
  by === 1 ? '' : `; what is kept is ${by < 1 ? 'not' : 'once more'} scaled by 1/(1−p)`;

/** The share of zeros where there are enough of them to be a mask. */
function shareOf(zeros: number, n: number): number | undefined {
  const share = zeros / n;
  return share >= fewestDropped && share <= 1 - fewestDropped ? share : undefined;
}

const otherMask: Hypothesis = {
  name: 'another mask',
  about: 'another dropout mask: zeros elsewhere, and what both keep agrees',
  fits(numbers, suspect): Fit[] {
    const n = numbers.truth.length;
    const { onlyTruth, onlyOurs, both, kept } = supportsOf(numbers);
    const theirs = shareOf(onlyTruth + both, n);
    const own = shareOf(onlyOurs + both, n);
    if (theirs === undefined || own === undefined || kept.length < fewestKept) return [];
    const p = probabilityOf(suspect);
    // Two masks of one rate: how often both drop, and how often one alone, are told by chance.
    const rate = (theirs + own) / 2;
    const alone = (onlyTruth + onlyOurs) / n;
    if (!near(own, theirs, n / 2) || alone < rate * (1 - rate)) return [];
    if (suspect.kind === 'draw') return [];
    const { by, left } = factorOf(numbers, kept, { p, share: rate });
    const says = `another dropout mask: ${onlyTruth + onlyOurs} of ${n} elements are dropped on one side only${scaleWords(by)}`;
    return [{ key: 'another mask', says, left, freedom: 2 }];
  },
};

const inactive: Hypothesis = {
  name: 'dropout inactive',
  about: 'dropout does nothing where the reference drops',
  fits(numbers, suspect): Fit[] {
    const n = numbers.truth.length;
    const { onlyTruth, onlyOurs, both, kept } = supportsOf(numbers);
    const share = shareOf(onlyTruth, n);
    const p = probabilityOf(suspect);
    if (share === undefined || onlyOurs > 0) return [];
    if (suspect.kind === 'draw' || kept.length < fewestKept) return [];
    // What is zero on both sides was zero before it was dropped.
    const alive = n - both;
    if (both > n / 2 || !near(onlyTruth / alive, p ?? share, alive)) return [];
    const { by, left } = factorOf(numbers, kept, { p, share: onlyTruth / alive });
    // Without dropout's factor it may be a ReLU that is missing.
    if (by === 1 && p === undefined) return [];
    const says = `dropout is not active: the reference drops ${onlyTruth} of ${n} elements that are not zero here${by === 1 ? '; what is kept is scaled all the same' : ''}`;
    return [{ key: 'dropout inactive', says, left, freedom: p === undefined ? 1 : 0 }];
  },
};

const active: Hypothesis = {
  name: 'dropout active',
  about: 'dropout drops where the reference does not',
  fits(numbers, suspect): Fit[] {
    const n = numbers.truth.length;
    const { onlyTruth, onlyOurs, both, kept } = supportsOf(numbers);
    const share = shareOf(onlyOurs, n);
    const p = probabilityOf(suspect);
    if (share === undefined || onlyTruth > 0) return [];
    if (suspect.kind === 'draw' || kept.length < fewestKept) return [];
    const alive = n - both;
    if (both > n / 2 || !near(onlyOurs / alive, p ?? share, alive)) return [];
    const { by, left } = factorOf(numbers, kept, { p, share: onlyOurs / alive });
    // Without dropout's factor it may be a ReLU that the reference has not.
    if (by === 1 && p === undefined) return [];
    const says = `dropout is active where the reference drops nothing: ${onlyOurs} of ${n} elements are zero${by === 1 ? ', and what is kept is not scaled by 1/(1−p)' : ''}`;
    return [{ key: 'dropout active', says, left, freedom: p === undefined ? 1 : 0 }];
  },
};

const isMask = ({ kind, record }: Held): boolean =>
  kind === 'draw' && new Set(toFloat64(record.pytorch)).size === 2;

/** The mask of another draw of the reference's. */
const drawn: Hypothesis = {
  name: 'mask of another draw',
  about: 'the reference drops by one of its masks, ours by another of them',
  fits(numbers, suspect, evidence: Evidence): Fit[] {
    if (suspect.kind === 'draw') return [];
    const { at, ours, truth, shape } = numbers;
    const { onlyTruth, onlyOurs, kept } = supportsOf(numbers);
    if (onlyTruth + onlyOurs === 0 || kept.length < fewestKept) return [];
    return evidence.alike(shape).flatMap((of): Fit[] => {
      if (!isMask(of)) return [];
      const mask = toFloat64(of.record.pytorch);
      if (mask.length !== sizeOf(shape)) return [];
      // Ours is zero just where that mask is, but where the reference's is not and what is dropped was zero already.
      const fits = ours.every((x, i) => (mask[at[i]] === 0 ? x === 0 : x !== 0 || truth[i] === 0));
      if (!fits) return [];
      const says = `dropout by another mask: that of ${of.name}`;
      const { left } = factorOf(numbers, kept, { p: probabilityOf(suspect), share: 0.5 });
      return [{ key: `mask of ${of.name}`, says, left, freedom: 0 }];
    });
  },
};

/** Zeros in other places. */
export const maskHypotheses: readonly Hypothesis[] = [inactive, active, drawn, otherMask];
