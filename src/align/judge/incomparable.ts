import { formatShape, type Shape, sameShape } from '../../tensor/shape.ts';
import { elementType, type Tensor, toFloat64 } from '../../tensor/tensor.ts';

/** How messages call the owners of the two sides. */
export interface Sides {
  readonly ours: string;
  readonly theirs: string;
}

export const oursAndPyTorch: Sides = { ours: 'our', theirs: "PyTorch's" };

const sorted = (shape: Shape): number[] => shape.toSorted((a, b) => a - b);

/** How a shape that is another differs, or undefined where both are the same. */
export function otherShape(ours: Shape, theirs: Shape): string | undefined {
  if (sameShape(ours, theirs)) return undefined;
  const transposed = sameShape(ours, [...theirs].reverse());
  const permuted = !transposed && sameShape(sorted(ours), sorted(theirs));
  const how = transposed ? ', transposed' : permuted ? ', the axes in another order' : '';
  return `shape ${formatShape(ours)} against ${formatShape(theirs)}${how}`;
}

/** Why two tensors must not be compared, or undefined. */
export function incomparable(
  ours: Tensor,
  theirs: Tensor,
  sides: Sides = oursAndPyTorch,
): string | undefined {
  const shape = otherShape(ours.shape, theirs.shape);
  if (shape !== undefined) return shape;
  const types = [elementType(ours), elementType(theirs)];
  if (types[0] !== types[1]) return `dtype ${types.join(' against ')}`;
  if (ours.data.length === 0) return 'there is nothing in it';
  const bad = (t: Tensor): number => toFloat64(t).findIndex((x) => !Number.isFinite(x));
  const [at, atTheirs] = [bad(ours), bad(theirs)];
  if (at >= 0) return `${sides.ours} element ${at} is ${toFloat64(ours)[at]}`;
  if (atTheirs >= 0) return `${sides.theirs} element ${atTheirs} is ${toFloat64(theirs)[atTheirs]}`;
  return undefined;
}
