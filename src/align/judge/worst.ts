import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { samplePositions } from '../reference/samplePositions.ts';
import { coordinates, placeOf } from './place.ts';
import type { Worst } from './verdict.ts';

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

/**
 * Where two tensors are furthest apart (from float64, where that is known), and how many elements differ by more
 * than `allowed`, or than the share `relative` of their own size where that is more. NaN is further than every number.
 */
export function worstOf(
  { ours, pytorch, truth, whole, axes }: Compared,
  allowed: number,
  relative = 0,
): Worst {
  const [a, b] = [toFloat64(ours), toFloat64(pytorch)];
  const t = truth === undefined ? b : toFloat64(truth);
  let [at, largest] = [0, -1];
  const beyond: number[] = [];
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - t[i]);
    if (!(error <= Math.max(allowed, relative * Math.abs(t[i])))) beyond.push(i);
    if (error > largest || (Number.isNaN(error) && !Number.isNaN(largest))) {
      [at, largest] = [i, error];
    }
  }
  const size = sizeOf(whole);
  const sampled = size === a.length ? undefined : samplePositions(size, a.length);
  const position = (i: number): number => sampled?.[i] ?? i;
  const compared = Array.from(a, (_, i) => position(i));
  return {
    index: coordinates(position(at), whole),
    ours: a[at],
    pytorch: b[at],
    ...(truth === undefined ? {} : { truth: t[at] }),
    beyond: beyond.length,
    of: a.length,
    ...(beyond.length > 0 && a.length > 1
      ? { place: placeOf(beyond.map(position), compared, whole, axes) }
      : {}),
  };
}
