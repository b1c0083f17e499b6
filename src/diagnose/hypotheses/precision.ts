import { float32Rounding } from '../../align/judge/limits.ts';
import { relativeError } from '../../align/measure/relativeError.ts';
import { type Precision, precisions } from '../../align/probes/rule.ts';
import { samplePositions } from '../../align/reference/samplePositions.ts';
import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import type { Fit, Hypothesis } from '../hypothesis.ts';
import { fewestForNoise, isNoise } from '../noise.ts';
import type { Numbers } from '../numbers.ts';
import type { Evidence, Suspect } from '../suspect.ts';

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

function errorOf({ ours, truth, unit }: Numbers): number {
  let squares = 0;
  for (let i = 0; i < truth.length; i++) squares += (ours[i] - truth[i]) ** 2;
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
    // Zeros are numbers of every type.
    if (whole.filter((x) => x !== 0).length < fewestHeld) return [];
    const error = errorOf(numbers) / precisions[type];
    if (error > mostRoundings) return [];
    const says = `all of its numbers are ${typeName(type)}'s: computed or kept in ${typeName(type)} (error ${error.toPrecision(2)} of its roundings)`;
    const left = beyondBound(numbers, mostRoundings * precisions[type]);
    return [{ key: `type ${type}`, says, left, freedom: 0 }];
  },
};

/** Numbers of the reference at the places of `at`, or undefined where it does not hold them. */
function alongside(name: string, { at, shape }: Looked, evidence: Evidence) {
  const source = evidence.held(name);
  if (source === undefined || source.shape.join() !== shape.join()) return undefined;
  const values = toFloat64(source.record.truth);
  if (values.length === at.length) return values;
  return values.length === sizeOf(shape) ? Float64Array.from(at, (p) => values[p]) : undefined;
}

/** A tensor of which it is asked whether its error is noise. */
interface Looked {
  readonly name: string;
  readonly ours: Float64Array;
  readonly truth: Float64Array;
  readonly at: Int32Array;
  readonly shape: Shape;
}

function noisy(looked: Looked, evidence: Evidence): boolean {
  const { ours, truth, at, shape } = looked;
  const errors = truth.map((x, i) => ours[i] - x);
  const beside = evidence
    .from(looked.name)
    .flatMap((name) => alongside(name, looked, evidence) ?? []);
  return isNoise({ errors, truth, at, shape, beside });
}

/** What is known of a tensor on both sides. */
function lookedAt(name: string, evidence: Evidence): Looked | undefined {
  const [source, ours] = [evidence.held(name), evidence.ours(name)];
  if (source === undefined || ours === undefined) return undefined;
  const [truth, whole] = [toFloat64(source.record.truth), toFloat64(ours)];
  const size = sizeOf(source.shape);
  if (whole.length !== size) return undefined;
  const at =
    truth.length === size
      ? Int32Array.from({ length: size }, (_, i) => i)
      : samplePositions(size, truth.length);
  return { name, ours: Float64Array.from(at, (p) => whole[p]), truth, at, shape: source.shape };
}

const rms = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

/** Smaller errors of what it is computed from are rounding. */
const wrongFrom = 1e-5;

const known = new WeakMap<Evidence, Map<string, boolean>>();

/**
 * Whether nothing but noise came in: what a tensor is computed from is right, or its own error is noise, and so on back
 * to what was given. Errors of a mistake look like noise some layers on.
 */
function onlyNoiseBefore(name: string, evidence: Evidence): boolean {
  const memory = known.get(evidence) ?? new Map<string, boolean>();
  known.set(evidence, memory);
  const found = memory.get(name);
  if (found !== undefined) return found;
  const result = evidence.from(name).every((source) => {
    const looked = lookedAt(source, evidence);
    if (looked !== undefined && looked.truth.length > 0) {
      const off = rms(looked.truth.map((x, i) => looked.ours[i] - x));
      if (off <= wrongFrom * rms(looked.truth)) return true;
      if (looked.truth.length >= fewestForNoise && !noisy(looked, evidence)) return false;
    }
    return onlyNoiseBefore(source, evidence);
  });
  memory.set(name, result);
  return result;
}

const isNoiseOf = (numbers: Numbers, suspect: Suspect, evidence: Evidence): boolean =>
  noisy({ ...numbers, name: suspect.name }, evidence) && onlyNoiseBefore(suspect.name, evidence);

/** From so many roundings of TF32 on, an error is bfloat16's. */
const fromThere = 4;

const arithmetic: Hypothesis = {
  name: 'computed coarser',
  about: 'an error of the size and pattern of arithmetic in bfloat16, float16 or TF32',
  fits(numbers, suspect, evidence): Fit[] {
    const error = errorOf(numbers);
    const type: Coarse = error > fromThere * precisions.tf32 ? 'bfloat16' : 'tf32';
    const roundings = error / precisions[type];
    if (roundings < leastRoundings || roundings > mostRoundings) return [];
    if (!isNoiseOf(numbers, suspect, evidence)) return [];
    const what = type === 'bfloat16' ? 'bfloat16' : 'TF32 or float16';
    const says = `noise of ${roundings.toPrecision(2)} roundings of ${what}, and nothing else: computed in ${what}`;
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
    const error = errorOf(numbers);
    const { pytorch, truth } = suspect.record;
    const own = Math.max(relativeError(pytorch, truth, suspect.scale), float32Rounding);
    if (error > mostOfFloat32 * float32Rounding || error > timesLimit * numbers.limit) return [];
    if (!isNoiseOf(numbers, suspect, evidence)) return [];
    const says = `rounding, ${(error / own).toPrecision(2)} times PyTorch's own: summed in another order, or in float32 where PyTorch used float64`;
    const left = beyondBound(numbers, 8 * error);
    return [{ key: 'rounding', says, left, freedom: 2 }];
  },
};

/** Fewer digits. */
export const precisionHypotheses: readonly Hypothesis[] = [exact, arithmetic, otherOrder];
