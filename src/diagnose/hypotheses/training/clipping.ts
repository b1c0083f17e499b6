import { shortNumber } from '../../../shortNumber.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { distanceOf, explains, leftToOurs } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';
import { withinStep } from '../../stepName.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Where values may have been cut off: at their largest, at their smallest, at both alike. */
function boundsOf(values: Float64Array): Bounds[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of values) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const most = Math.max(-low, high);
  return [
    { low: -most, high: most },
    { low: Number.NEGATIVE_INFINITY, high },
    { low, high: Number.POSITIVE_INFINITY },
  ];
}

const cut = (x: number, { low, high }: Bounds): number => Math.min(high, Math.max(low, x));

/** Of what is not cut off, one element is the largest. */
const fewestCut = 2;

/** Elements that lie beyond the bounds, clearly. */
function beyond(values: Float64Array, { low, high }: Bounds): number {
  let count = 0;
  for (const x of values)
    if (x > high + 1e-3 * Math.abs(high) || x < low - 1e-3 * Math.abs(low)) count++;
  return count;
}

const at = ({ low, high }: Bounds): string => {
  const [below, above] = [low, high].map(shortNumber);
  if (low === -high) return `at ±${above}`;
  return Number.isFinite(high) ? `at ${above} from above` : `at ${below} from below`;
};

const byValue: Hypothesis = {
  name: 'clipped',
  about: 'cut off at a value that no element is beyond',
  fits(numbers, { kind }): Fit[] {
    if (!(kind === 'weight gradient' || kind === 'output gradient' || kind === 'weight')) return [];
    const { ours, truth, whole } = numbers;
    if (whole.every((x) => x === whole[0])) return [];
    const distance = distanceOf(numbers);
    const tell = (bounds: Bounds, cutOff: Float64Array, left: number, says: string): Fit[] => {
      if (beyond(cutOff, bounds) < fewestCut || !explains(numbers, left, distance)) return [];
      return [{ key: `clipped ${at(bounds)}`, says, left, freedom: 1 }];
    };
    const of = (count: number): string => `${count} of ${truth.length} elements`;
    const own = boundsOf(whole).flatMap((bounds) =>
      tell(
        bounds,
        truth,
        leftToOurs(numbers, (i) => cut(truth[i], bounds)),
        `clipped ${at(bounds)}: ${of(beyond(truth, bounds))} lie beyond that in the reference`,
      ),
    );
    const theirs = boundsOf(truth).flatMap((bounds) =>
      tell(
        bounds,
        ours,
        leftOf(numbers, (i) => cut(ours[i], bounds)),
        `not clipped: the reference is, ${at(bounds)}, and ${of(beyond(ours, bounds))} lie beyond that here`,
      ),
    );
    return [...own, ...theirs];
  },
};

function squaresOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

/** ‖truth‖², of all of it. */
const squaresHeld = ({ record }: Held): number =>
  record.moments?.sumOfSquares ?? squaresOf(toFloat64(record.truth));

interface Norms {
  readonly own: number;
  readonly right: number;
}

/** Every suspect of a pass asks for the same, of gradients that may be many million numbers. */
const known = new WeakMap<Evidence, Map<string, Norms | undefined>>();

/** Norms over all parameters' gradients of a pass; undefined where ours has not all of them. */
function normsOf({ name }: Suspect, evidence: Evidence): Norms | undefined {
  const { when } = withinStep(name);
  const passes = known.get(evidence) ?? new Map<string, Norms | undefined>();
  known.set(evidence, passes);
  if (!passes.has(when)) passes.set(when, computedNorms(when, evidence));
  return passes.get(when);
}

function computedNorms(pass: string, { all, ours }: Evidence): Norms | undefined {
  let [own, right] = [0, 0];
  for (const held of all?.() ?? []) {
    if (held.kind !== 'weight gradient' || withinStep(held.name).when !== pass) continue;
    const found = ours(held.name);
    if (found === undefined) return undefined;
    own += squaresOf(toFloat64(found));
    right += squaresHeld(held);
  }
  return { own: Math.sqrt(own), right: Math.sqrt(right) };
}

/** Whether ours is a multiple of the truth, whichever. */
function isMultiple(numbers: Numbers): boolean {
  const { ours, truth } = numbers;
  let [cross, square] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    cross += ours[i] * truth[i];
    square += ours[i] * ours[i];
  }
  const by = cross / square;
  return leftOf(numbers, (i) => ours[i] * by) <= numbers.limit;
}

/** People clip to a round norm; what is not cut has such a one by chance once in some hundred times. */
const roundNorm = (norm: number): number | undefined => {
  const near = Number(norm.toPrecision(2));
  return Math.abs(norm / near - 1) < 3e-5 ? near : undefined;
};

const fewestElements = 4;

const byNorm: Hypothesis = {
  name: 'clipped by norm',
  about: 'gradients scaled to a norm: of all parameters together, or of each by itself',
  fits(numbers, suspect, evidence): Fit[] {
    const isGradient = suspect.kind === 'weight gradient';
    // What an optimizer keeps of a gradient is as much smaller.
    if (!isGradient && suspect.kind !== 'optimizer state') return [];
    if (numbers.truth.length < fewestElements || !isMultiple(numbers)) return [];
    const alone = {
      own: Math.sqrt(squaresOf(numbers.whole)),
      right: Math.sqrt(squaresHeld(suspect)),
    };
    const together = normsOf(suspect, evidence);
    const ways = [
      ...(together === undefined ? [] : [{ norms: together, of: 'of all parameters together' }]),
      ...(isGradient ? [{ norms: alone, of: 'of each parameter by itself' }] : []),
    ];
    return ways.flatMap(({ norms: { own, right }, of }): Fit[] => {
      const [norm, theirs] = [roundNorm(own), roundNorm(right)];
      const left = leftOf(numbers, (i) => numbers.ours[i] * (right / own));
      if (!(left <= numbers.limit)) return [];
      if (norm !== undefined && own < right) {
        const says = `gradients are clipped to a norm of ${norm} ${of}, the reference's is ${shortNumber(right)}`;
        return [{ key: `clipped to norm ${norm} ${of}`, says, left, freedom: 1 }];
      }
      if (theirs !== undefined && right < own) {
        const says = `gradients are not clipped: the reference's are, to a norm of ${theirs} ${of}`;
        return [{ key: `not clipped to norm ${theirs} ${of}`, says, left, freedom: 1 }];
      }
      return [];
    });
  },
};

/** Gradients that are cut off, or should be. */
export const clippingHypotheses: readonly Hypothesis[] = [byValue, byNorm];
