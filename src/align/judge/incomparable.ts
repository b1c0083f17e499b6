import { formatShape, sameShape } from '../../tensor/shape.ts';
import { elementType, type Tensor, toFloat64 } from '../../tensor/tensor.ts';

/** How messages call the owners of the two sides. */
export interface Sides {
  readonly ours: string;
  readonly theirs: string;
}

export const oursAndPyTorch: Sides = { ours: 'our', theirs: "PyTorch's" };

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
