import { float32Rounding } from '../../../align/judge/limits.ts';
import { relativeError } from '../../../align/measure/relativeError.ts';
import { type Precision, precisions } from '../../../align/probes/rule.ts';
import { distanceOf, sourcesOf, valuesAt } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { fewestForNoise, isNoise } from '../../noise.ts';
import { type Numbers, numbersOf } from '../../numbers.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

type Coarse = Exclude<Precision, 'float32'>;

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** Whether a float32 has nothing in its lowest bits. */
function endsInZeros(x: number, count: number): boolean {
  float[0] = x;
  return float[0] === x && (bits[0] & (2 ** count - 1)) === 0;
}

const largestHalf = 65504;
const smallestHalf = 2 ** -24;

/** What numbers a type holds; the coarsest first. */
const held: readonly { readonly type: Coarse; readonly holds: (x: number) => boolean }[] = [
  { type: 'bfloat16', holds: (x) => endsInZeros(x, 16) },
  {
    type: 'float16',
    holds: (x) =>
      endsInZeros(x, 13) && Math.abs(x) <= largestHalf && Number.isInteger(x / smallestHalf),
  },
  { type: 'tf32', holds: (x) => endsInZeros(x, 13) },
];

/** An error of arithmetic in a type is so many of its roundings, of the RMS of the tensor. */
const [leastRoundings, mostRoundings] = [0.2, 30];

/** Relative error that is left when every element may be so far off. */
function beyondBound({ ours, truth, unit }: Numbers, relative: number): number {
  let squares = 0;
  for (let i = 0; i < truth.length; i++) {
    const allowed = relative * Math.max(unit, Math.abs(truth[i]));
    squares += Math.max(0, Math.abs(ours[i] - truth[i]) - allowed) ** 2;
  }
  return Math.sqrt(squares / truth.length) / unit;
}

const typeName = (type: Coarse): string => (type === 'tf32' ? 'TF32' : type);

/** So many numbers that all end in zeros are no accident. */
const fewestHeld = 8;

const exact: Hypothesis = {
  name: 'stored coarser',
  about: 'every number is one of bfloat16, float16 or TF32',
  fits(numbers): Fit[] {
    const { whole, truth } = numbers;
    const found = held.find(({ holds }) => whole.every(holds));
    if (found === undefined) return [];
    const { type, holds } = found;
    const others = truth.filter((x) => x !== 0 && !holds(Math.fround(x))).length;
    const alive = truth.filter((x) => x !== 0).length;
    if (others < fewestHeld || others < alive / 2 || whole.every((x) => x === whole[0])) return [];
    // Integers are numbers of every type.
    if (whole.filter((x) => !Number.isInteger(x)).length < fewestHeld) return [];
    const error = distanceOf(numbers) / precisions[type];
    if (error > mostRoundings) return [];
    const says = `all of its numbers are ${typeName(type)}'s: computed or kept in ${typeName(type)}`;
    const left = beyondBound(numbers, mostRoundings * precisions[type]);
    return [{ key: `type ${type}`, says, left, freedom: 0 }];
  },
};

/** A tensor of which it is asked whether its error is noise. */
type Looked = Pick<Numbers, 'ours' | 'truth' | 'at' | 'shape'>;

interface Measured {
  /** RMS of the difference over the truth's. */
  readonly relative: number;
  /** Undefined of too few elements. */
  readonly noise?: boolean;
}

function errorOf(looked: Looked, held: Held, evidence: Evidence): Measured {
  const { ours, truth } = looked;
  const errors = truth.map((x, i) => ours[i] - x);
  const relative = rms(errors) / rms(truth);
  if (truth.length < fewestForNoise) return { relative };
  const beside = sourcesOf(held, evidence).flatMap((source) => valuesAt(looked, source) ?? []);
  return { relative, noise: isNoise({ ...looked, errors, beside }) };
}

/** What is known of a tensor on both sides, where it is. */
function sidesOf(held: Held, evidence: Evidence): Looked | undefined {
  const ours = evidence.ours(held.name);
  if (ours === undefined) return undefined;
  return numbersOf({ ...held, ours, limit: 0 });
}

const rms = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

const vanishing = 1e-3;

const known = new WeakMap<Evidence, Map<string, Measured | undefined>>();

/** The error of a tensor of which both sides are known, kept: many tensors come from one. */
function knownError(held: Held, evidence: Evidence): Measured | undefined {
  const memory = known.get(evidence) ?? new Map<string, Measured | undefined>();
  known.set(evidence, memory);
  if (!memory.has(held.name)) {
    const { pytorch, truth } = held.record;
    // What is zero but for rounding is off by all of itself, on every side.
    const vanishes = relativeError(pytorch, truth) > vanishing;
    const sides = vanishes ? undefined : sidesOf(held, evidence);
    memory.set(held.name, sides && errorOf(sides, held, evidence));
  }
  return memory.get(held.name);
}

/** Beside the error in question, an error that came in and is so much smaller is none; nor is rounding, beside more. */
const share = 0.1;
const largeShare = 0.3;
const mostOfRounding = 1e-6;

/**
 * Whether nothing but noise came in: what a tensor is computed from is right, or its own error is noise, and so on back
 * to what was given. Errors of a mistake look like noise some layers on. Nothing that came in may be further off than
 * `largest`.
 */
function onlyNoiseBefore(
  suspect: Held,
  error: number,
  evidence: Evidence,
  largest: number,
): boolean {
  const rounding = Math.min(mostOfRounding, largeShare * error);
  const failed = evidence.failedBefore?.(suspect.name) ?? [];
  const waiting = [
    ...sourcesOf(suspect, evidence),
    ...failed.flatMap((name) => evidence.held(name) ?? []),
  ];
  const seen = new Set<string>();
  for (let held = waiting.pop(); held !== undefined; held = waiting.pop()) {
    if (seen.has(held.name)) continue;
    seen.add(held.name);
    const found = knownError(held, evidence);
    if (found !== undefined && found.relative > largest) return false;
    if (found?.noise === false && !(found.relative <= Math.max(rounding, share * error))) {
      return false;
    }
    if (found === undefined || found.relative > rounding) {
      waiting.push(...sourcesOf(held, evidence));
    }
  }
  return true;
}

const isNoiseOf = (
  numbers: Numbers,
  suspect: Suspect,
  evidence: Evidence,
  largest = Number.POSITIVE_INFINITY,
): boolean =>
  errorOf(numbers, suspect, evidence).noise === true &&
  onlyNoiseBefore(suspect, distanceOf(numbers), evidence, largest);

/** From so many roundings of TF32 on, an error is bfloat16's. */
const fromThere = 4;

const arithmetic: Hypothesis = {
  name: 'computed coarser',
  about: 'an error of the size and pattern of arithmetic in bfloat16, float16 or TF32',
  fits(numbers, suspect, evidence): Fit[] {
    const error = distanceOf(numbers);
    const type: Coarse = error > fromThere * precisions.tf32 ? 'bfloat16' : 'tf32';
    const roundings = error / precisions[type];
    if (roundings < leastRoundings || roundings > mostRoundings) return [];
    if (!isNoiseOf(numbers, suspect, evidence)) return [];
    const what = type === 'bfloat16' ? 'bfloat16' : 'TF32 or float16';
    const says = `noise of the size of a rounding to ${what}, and nothing else: computed in ${what}`;
    const left = beyondBound(numbers, mostRoundings * precisions[type]);
    return [{ key: `computed in ${type}`, says, left, freedom: 2 }];
  },
};

/** Beyond so many roundings of float32, no order of summation explains a difference. */
const mostOfFloat32 = 256;
const timesLimit = 16;

const otherOrder: Hypothesis = {
  name: 'rounding',
  about: "rounding of float32, more than PyTorch's own: summed in another order",
  fits(numbers, suspect, evidence): Fit[] {
    const error = distanceOf(numbers);
    const { pytorch, truth } = suspect.record;
    const own = Math.max(relativeError(pytorch, truth, suspect.scale), float32Rounding);
    if (error <= numbers.limit) return [];
    const most = mostOfFloat32 * float32Rounding;
    if (error > most || error > timesLimit * numbers.limit) return [];
    if (!isNoiseOf(numbers, suspect, evidence, most)) return [];
    const says = `rounding, ${(error / own).toPrecision(2)} times PyTorch's own: summed in another order, or in float32 where PyTorch used float64`;
    const left = beyondBound(numbers, 8 * error);
    return [{ key: 'rounding', says, left, freedom: 2 }];
  },
};

/** Fewer digits. */
export const precisionHypotheses: readonly Hypothesis[] = [exact, arithmetic, otherOrder];
