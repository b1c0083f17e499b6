import type { Pair, Window } from '../../ir/op.ts';

/**
 * A window sliding over one axis: at its place p, its offset k touches input p·stride + k − padding.
 */
export interface Axis {
  /** Input extent. */
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** Height and width. */
export function axes(size: Pair, { kernel, stride, padding }: Window): [Axis, Axis] {
  const axis = (a: 0 | 1): Axis => ({
    size: size[a],
    kernel: kernel[a],
    stride: stride[a],
    padding: padding[a],
  });
  return [axis(0), axis(1)];
}

/** How many whole windows fit. */
export const windowCount = ({ size, kernel, stride, padding }: Axis): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** The part [from, to) of window p that lies inside the input; empty where it is all padding. */
export function inside({ size, kernel, stride, padding }: Axis, p: number): [number, number] {
  const start = p * stride - padding;
  return [Math.max(0, start), Math.min(size, start + kernel)];
}
