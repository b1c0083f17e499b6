import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { elementAt, type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { absoluteDifferences } from '../measure/absoluteDifferences.ts';
import { samplePositions } from '../reference/samplePositions.ts';
import { coordinates, placeOf } from './place.ts';
import type { WorstElement } from './verdict.ts';

/** Both sides of a tensor that failed, on the elements that the reference holds. */
export interface Compared {
  readonly ours: Tensor;
  readonly pytorch: Tensor;
  readonly truth?: Tensor;
  /** Of the whole tensor, where only a sample is held. */
  readonly whole: Shape;
  /** Names of its axes, where they are known. */
  readonly axes?: string;
}

/** One element, whole: as a bigint where it is an integer that a number cannot hold. */
function exactAt(t: Tensor, i: number): number | bigint {
  const value = elementAt(t, i);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/**
 * The element that is furthest off by `errors`, a number for each, and how many are off by more than `limit`, one for
 * all or for each. NaN is further than every number.
 */
export function worstBy(
  { ours, pytorch, truth, whole, axes }: Compared,
  errors: Float64Array,
  limit: number | Float64Array,
): WorstElement {
  const size = sizeOf(whole);
  const of = errors.length;
  const compared = size === of ? new Uint32Array(of).map((_, i) => i) : samplePositions(size, of);
  const isBeyond = (i: number): boolean =>
    !(errors[i] <= (typeof limit === 'number' ? limit : limit[i]));
  const beyond = compared.filter((_, i) => isBeyond(i));
  let [at, largest] = [0, -1];
  for (let i = 0; i < of; i++) {
    const error = errors[i];
    if (error > largest || (Number.isNaN(error) && !Number.isNaN(largest))) {
      [at, largest] = [i, error];
    }
  }
  return {
    index: coordinates(compared[at], whole),
    ours: exactAt(ours, at),
    pytorch: exactAt(pytorch, at),
    ...(truth === undefined ? {} : { truth: toFloat64(truth)[at] }),
    beyond: beyond.length,
    of,
    ...(beyond.length > 0 && of > 1 ? { place: placeOf(beyond, compared, whole, axes) } : {}),
  };
}

/**
 * By the distance, to float64 where that is known: how many elements differ by more than `allowed`, or than the share
 * `relative` of their own size where that is more.
 */
export function worstOf(compared: Compared, allowed: number, relative = 0): WorstElement {
  const to = compared.truth ?? compared.pytorch;
  const limits = toFloat64(to).map((t) => Math.max(allowed, relative * Math.abs(t)));
  return worstBy(compared, absoluteDifferences(compared.ours, to), limits);
}
