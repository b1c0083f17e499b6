import { sizeOf } from '../../../../tensor/shape.ts';
import { bytesPerElement, type Tensor, zeros } from '../../../../tensor/tensor.ts';
import type { Handle, OrtApi } from '../api.ts';
import {
  type HeldType,
  heldTensor,
  memoryInfo,
  type OrtValue,
  type QueuedMemory,
  valueAt,
} from '../memory.ts';
import { type CudaRuntime, OutOfCardMemory, type Pinned } from './cudaRuntime.ts';

/** A tensor on the card. */
export interface CudaValue extends OrtValue {
  readonly address: bigint;
}

/** What feeds may wait in pinned memory before the host waits for the card. */
const mostPinned = 256 << 20;

/**
 * Memory of the card, which runs read and write in place. `cudaFree` waits for the card, so what is released is kept
 * for the next tensor of its size; in one stream, whoever used it before has ended when the next begins.
 */
export function cudaMemory(
  api: OrtApi,
  cuda: CudaRuntime,
  info: Handle = memoryInfo(api, 'Cuda'),
): QueuedMemory<CudaValue> {
  const kept = bySize<bigint>();
  const pinned = bySize<Pinned>();
  let waiting: Pinned[] = [];
  let waitingBytes = 0;

  function allocate(bytes: number): bigint {
    const again = kept.take(bytes);
    if (again !== undefined) return again;
    try {
      return cuda.allocate(bytes);
    } catch (error) {
      if (!(error instanceof OutOfCardMemory)) throw error;
      for (const address of kept.empty()) cuda.release(address);
      return cuda.allocate(bytes);
    }
  }
  function blank(dtype: HeldType, shape: readonly number[]): CudaValue {
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    const address = allocate(bytes);
    try {
      return { ...valueAt(api, info, address, bytes, dtype, shape), address };
    } catch (error) {
      kept.give(bytes, address);
      throw error;
    }
  }
  /** What was begun has ended: what it read from is free. */
  function settled(pieces: readonly Pinned[]): void {
    for (const piece of pieces) pinned.give(piece.bytes.length, piece);
  }
  function waitingNow(): readonly Pinned[] {
    const pieces = waiting;
    waiting = [];
    waitingBytes = 0;
    return pieces;
  }
  const bytesOf = ({ data }: Tensor): Uint8Array =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  function filled(t: Tensor, fill: (value: CudaValue, held: Tensor) => void): CudaValue {
    const held = heldTensor(t);
    const value = blank(held.dtype, held.shape);
    fill(value, held);
    return value;
  }
  return {
    blank,
    upload: (t) => filled(t, ({ address }, { data }) => cuda.toDevice(address, data)),
    feed: (t) =>
      filled(t, ({ address }, held) => {
        const bytes = held.data.byteLength;
        if (waitingBytes + bytes > mostPinned) {
          cuda.finish();
          settled(waitingNow());
        }
        const piece = pinned.take(bytes) ?? cuda.pin(bytes);
        waiting.push(piece);
        waitingBytes += bytes;
        piece.bytes.set(bytesOf(held));
        cuda.beginToDevice(address, piece, bytes);
      }),
    async done() {
      const pieces = waitingNow();
      await cuda.finished();
      settled(pieces);
    },
    read({ dtype, shape, address }) {
      const t = zeros(dtype, shape) as Tensor;
      cuda.toHost(t.data, address);
      return t;
    },
    release({ handle, address, dtype, shape }) {
      api.call('ReleaseValue', handle);
      kept.give(sizeOf(shape) * bytesPerElement[dtype], address);
    },
  };
}

/** Pieces of memory that nobody uses. */
function bySize<Piece>() {
  const lists = new Map<number, Piece[]>();
  return {
    take: (bytes: number): Piece | undefined => lists.get(bytes)?.pop(),
    give(bytes: number, piece: Piece): void {
      const list = lists.get(bytes) ?? [];
      lists.set(bytes, list);
      list.push(piece);
    },
    empty: (): readonly Piece[] => [...lists.values()].flatMap((list) => list.splice(0)),
  };
}
