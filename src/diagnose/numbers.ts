import { samplePositions } from '../align/reference/samplePositions.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import { toFloat64 } from '../tensor/tensor.ts';
import type { Suspect } from './suspect.ts';

/** A suspect as plain numbers: ours whole, the truth where the reference holds it. */
export interface Numbers {
  /** Every element of ours, flat. */
  readonly whole: Float64Array;
  /** Flat positions in the reference's shape at which the truth is known. */
  readonly at: Int32Array;
  /** The truth there. */
  readonly truth: Float64Array;
  /** Ours there. */
  readonly ours: Float64Array;
  readonly shape: Shape;
  /** What a relative error is over: the truth's root mean square, or the suspect's scale. */
  readonly unit: number;
  /** Largest error that is explained: the tensor's limit, at the size of ours where that is larger. */
  readonly limit: number;
}

const rmsOf = (values: Float64Array): number => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  return Math.sqrt(squares / values.length);
};

/** Both sides' numbers, finite or not; undefined where they are not as many. */
export function placesOf({
  ours,
  record,
  shape,
}: Suspect): Omit<Numbers, 'unit' | 'limit'> | undefined {
  const size = sizeOf(shape);
  const truth = toFloat64(record.truth);
  const whole = toFloat64(ours);
  if (whole.length !== size || truth.length === 0) return undefined;
  const at =
    truth.length === size
      ? Int32Array.from({ length: size }, (_, i) => i)
      : samplePositions(size, truth.length);
  const here = Float64Array.from(at, (position) => whole[position]);
  return { whole, at, truth, ours: here, shape };
}

/** Undefined where there is nothing to compare: another number of elements, NaN or infinity on a side. */
export function numbersOf(suspect: Suspect): Numbers | undefined {
  const places = placesOf(suspect);
  if (places === undefined) return undefined;
  const { limit, scale } = suspect;
  const [own, unit] = [rmsOf(places.ours), scale ?? rmsOf(places.truth)];
  if (!Number.isFinite(own) || !Number.isFinite(unit) || unit === 0) return undefined;
  return { ...places, unit, limit: limit * Math.max(1, own / unit) };
}

const firstLook = 48;

/**
 * Relative error of `candidate`, element by element of what the reference holds. Infinity where the first few are so
 * far off that no others can make up for them.
 */
export function leftOf(
  { truth, unit, limit }: Pick<Numbers, 'truth' | 'unit' | 'limit'>,
  candidate: (i: number) => number,
): number {
  const n = truth.length;
  // Squares add up: once their sum is beyond what all may have, and far beyond, the rest need not be looked at.
  const most = Math.max(limit, 1e-3) * 3 * unit;
  const hopeless = n * most * most;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const off = candidate(i) - truth[i];
    squares += off * off;
    if (i >= firstLook && !(squares <= hopeless)) return Number.POSITIVE_INFINITY;
  }
  return Math.sqrt(squares / n) / unit;
}
