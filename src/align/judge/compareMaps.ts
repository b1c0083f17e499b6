import { formatShape, sameShape } from '../../tensor/shape.ts';
import { elementType, type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { type Distances, distances } from '../measure/distance.ts';
import type { Check, Verdict } from './verdict.ts';

/** How one tensor's distances turn into checks. */
export type Judge = (name: string, measured: Distances) => readonly Check[];

/** How messages call the owners of the two sides. */
export interface Sides {
  readonly ours: string;
  readonly theirs: string;
}

const oursAndPyTorch: Sides = { ours: 'our', theirs: "PyTorch's" };

/** Why two tensors must not be compared, or undefined. */
export function incomparable(
  ours: Tensor,
  theirs: Tensor,
  sides: Sides = oursAndPyTorch,
): string | undefined {
  if (!sameShape(ours.shape, theirs.shape)) {
    const transposed = sameShape(ours.shape, [...theirs.shape].reverse());
    return `shape ${formatShape(ours.shape)} against ${formatShape(theirs.shape)}${transposed ? ', transposed' : ''}`;
  }
  const types = [elementType(ours), elementType(theirs)];
  if (types[0] !== types[1]) return `dtype ${types.join(' against ')}`;
  if (ours.data.length === 0) return 'there is nothing in it';
  const bad = (t: Tensor): number => toFloat64(t).findIndex((x) => !Number.isFinite(x));
  const [at, atTheirs] = [bad(ours), bad(theirs)];
  if (at >= 0) return `${sides.ours} element ${at} is ${toFloat64(ours)[at]}`;
  if (atTheirs >= 0) return `${sides.theirs} element ${atTheirs} is ${toFloat64(theirs)[atTheirs]}`;
  return undefined;
}

/**
 * Compares two recordings key by key. A key that only one side has, another shape or dtype, NaN and
 * Inf fail and say so; nothing broadcasts, and an empty recording fails too.
 */
export function compareMaps(
  ours: TensorMap,
  theirs: TensorMap,
  judge: Judge,
  sides: Sides = oursAndPyTorch,
): Verdict[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  if (names.length === 0) return [{ name: '(nothing)', checks: [], problem: 'nothing recorded' }];
  return names.map((name) => {
    const [a, b] = [ours.get(name), theirs.get(name)];
    if (a === undefined) return { name, checks: [], problem: `missing on ${sides.ours} side` };
    if (b === undefined) return { name, checks: [], problem: `missing on ${sides.theirs} side` };
    const problem = incomparable(a, b, sides);
    if (problem !== undefined) return { name, checks: [], problem };
    const measured = distances(a, b);
    return { name, checks: judge(name, measured), distances: measured };
  });
}
