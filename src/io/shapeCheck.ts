import type { Shape } from '../tensor/shape.ts';
import { bytesPerElement, type DType } from '../tensor/tensor.ts';

/** NumPy's own limit on the number of axes. */
const MAX_RANK = 64;

/**
 * The bytes a stored array of this shape takes, or undefined where the shape is none a file can
 * hold: too many axes, or sizes whose product no longer counts exactly.
 */
export function storedBytes(dtype: DType, shape: Shape): number | undefined {
  if (shape.length > MAX_RANK) return undefined;
  let bytes = bytesPerElement[dtype];
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) return undefined;
    // Zero-sized axes must not hide an absurd neighbour from the check.
    bytes *= Math.max(d, 1);
    if (bytes > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return shape.includes(0) ? 0 : bytes;
}
