import type { TensorMap } from '../tensor/tensor.ts';

const given = new WeakSet<ArrayBufferLike>();

/**
 * The same tensors, which their owner needs no more: a backend in a thread takes over their memory, where it copies
 * that of others. What else lies in that memory goes along.
 */
export function givenAway<T extends TensorMap>(tensors: T): T {
  for (const { data } of tensors.values()) given.add(data.buffer);
  return tensors;
}

/** Whether its owner has given this memory away. */
export const isGivenAway = (buffer: ArrayBufferLike): boolean => given.has(buffer);
