import { bytesOf, fromBytes, type Tensor, type TensorMap } from '../../../tensor/tensor.ts';

/** Copies that may be given away: whoever made `tensors` keeps theirs. */
export const copies = (tensors: TensorMap): Map<string, Tensor> =>
  new Map([...tensors].map(([name, t]) => [name, fromBytes(t.dtype, t.shape, bytesOf(t))]));

/**
 * The memory that can go along without being copied. A view into a larger buffer stays behind and is
 * copied: nobody knows who else looks at the rest.
 */
export function buffersOf(tensors: TensorMap): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors.values()) {
    const { buffer, byteLength } = data;
    if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffers.add(buffer);
  }
  return [...buffers];
}
