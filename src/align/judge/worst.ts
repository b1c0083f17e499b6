import type { Shape } from '../../tensor/shape.ts';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { samplePositions } from '../reference/samplePositions.ts';
import type { Worst } from './verdict.ts';

/** Both sides of a tensor that failed, on the elements that the reference holds. */
export interface Compared {
  readonly ours: Tensor;
  readonly pytorch: Tensor;
  readonly truth?: Tensor;
  /** Of the whole tensor, where only a sample is held. */
  readonly whole: Shape;
}

/** Coordinates of a flat position. */
function coordinates(position: number, shape: Shape): number[] {
  const out: number[] = [];
  let rest = position;
  for (const extent of shape.toReversed()) {
    out.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return out;
}

/**
 * Where two tensors are furthest apart (from float64, where that is known), and how many elements differ by more
 * than `allowed`, or than the share `relative` of their own size where that is more. NaN is further than every number.
 */
export function worstOf(
  { ours, pytorch, truth, whole }: Compared,
  allowed: number,
  relative = 0,
): Worst {
  const [a, b] = [toFloat64(ours), toFloat64(pytorch)];
  const t = truth === undefined ? b : toFloat64(truth);
  let [at, largest, beyond] = [0, -1, 0];
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - t[i]);
    if (!(error <= Math.max(allowed, relative * Math.abs(t[i])))) beyond++;
    if (error > largest || (Number.isNaN(error) && !Number.isNaN(largest))) {
      [at, largest] = [i, error];
    }
  }
  const size = whole.reduce((n, extent) => n * extent, 1);
  const position = size === a.length ? at : samplePositions(size, a.length)[at];
  return {
    index: coordinates(position, whole),
    ours: a[at],
    pytorch: b[at],
    ...(truth === undefined ? {} : { truth: t[at] }),
    beyond,
    of: a.length,
  };
}
