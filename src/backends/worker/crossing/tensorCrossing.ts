import { bytesOf, fromBytes, type Tensor, type TensorMap } from '../../../tensor/tensor.ts';
import { isGivenAway } from '../../givenAway.ts';

/** Tensors that may be sent off: whoever made `tensors` keeps theirs, but for what was given away or is shared. */
export const toSend = (tensors: TensorMap): Map<string, Tensor> =>
  new Map(
    [...tensors].map(([name, t]) => [
      name,
      isGivenAway(t.data.buffer) || isShared(t) ? t : fromBytes(t.dtype, t.shape, bytesOf(t)),
    ]),
  );

const isShared = ({ data: { buffer } }: Tensor): boolean => buffer instanceof SharedArrayBuffer;

/**
 * The memory that can go along without being copied: what was given away, and what these tensors fill. A view into a
 * larger buffer stays behind and is copied: nobody knows who else looks at the rest.
 */
export function buffersOf(tensors: TensorMap): ArrayBuffer[] {
  const views = new Map<ArrayBuffer, ArrayBufferView[]>();
  for (const { data } of tensors.values()) {
    const { buffer } = data;
    if (!(buffer instanceof ArrayBuffer)) continue;
    const known = views.get(buffer);
    if (known === undefined) views.set(buffer, [data]);
    else known.push(data);
  }
  return [...views]
    .filter(([buffer, all]) => isGivenAway(buffer) || fill(buffer, all))
    .map(([buffer]) => buffer);
}

/** Whether every byte lies in one of the views. */
function fill(buffer: ArrayBuffer, views: readonly ArrayBufferView[]): boolean {
  const inOrder = [...views].sort((a, b) => a.byteOffset - b.byteOffset);
  let end = 0;
  for (const { byteOffset, byteLength } of inOrder) {
    if (byteOffset > end) return false;
    end = Math.max(end, byteOffset + byteLength);
  }
  return end === buffer.byteLength;
}
