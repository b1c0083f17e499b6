import { type Shape, stridesOf } from '../../tensor/shape.ts';

/**
 * Where each element of an array of `shape`, taken in C order, lies in another array that is walked
 * with `strides` (in elements, one an axis). A stride of 0 repeats; permuted strides transpose.
 */
export function offsets(shape: Shape, strides: readonly number[]): Int32Array {
  let found = Int32Array.of(0);
  shape.forEach((extent, axis) => {
    const longer = new Int32Array(found.length * extent);
    for (let i = 0, k = 0; i < found.length; i++) {
      for (let j = 0; j < extent; j++) longer[k++] = found[i] + j * strides[axis];
    }
    found = longer;
  });
  return found;
}

/** Where each element of the broadcast `target` is read from in an array of `shape`, as in NumPy. */
export function broadcastOffsets(shape: Shape, target: Shape): Int32Array {
  const own = stridesOf(shape);
  const lead = target.length - shape.length;
  const strides = target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : own[i - lead]));
  return offsets(target, strides);
}
