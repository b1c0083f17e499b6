import type { Shape } from '../tensor/shape.ts';
import { bytesPerElement, type DType } from '../tensor/tensor.ts';

/** NumPy's own limit on the number of axes. */
export const MAX_RANK = 64;

/**
 * The bytes an array of this shape takes at `width` bytes an element, or undefined where the shape is
 * none a file can hold: too many axes, or sizes whose product no longer counts exactly.
 */
export function bytesFor(width: number, shape: Shape): number | undefined {
  if (shape.length > MAX_RANK) return undefined;
  let bytes = width;
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) return undefined;
    // Zero-sized axes must not hide an absurd neighbour from the check.
    bytes *= Math.max(d, 1);
    if (bytes > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return shape.includes(0) ? 0 : bytes;
}

/** The same for elements as a tensor holds them. */
export const storedBytes = (dtype: DType, shape: Shape): number | undefined =>
  bytesFor(bytesPerElement[dtype], shape);
