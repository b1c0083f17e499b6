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
import type { CudaRuntime, Pinned } from './cudaRuntime.ts';

/** A tensor on the card. */
export interface CudaValue extends OrtValue {
  readonly address: bigint;
}

/** What is fed may wait so long in pinned memory, in bytes, before the host waits for the card. */
const mostPinned = 256 << 20;

/** So little is kept when it is released, in bytes: `cudaFree` waits for the card. */
const littleBytes = 1 << 16;

/** Memory of the card, which runs read and write in place. */
export function cudaMemory(
  api: OrtApi,
  cuda: CudaRuntime,
  info: Handle = memoryInfo(api, 'Cuda'),
): QueuedMemory<CudaValue> {
  // In one stream, whoever used a piece before has ended when the next begins.
  const kept = bySize<bigint>();
  const pinned = bySize<Pinned>();
  let waiting: Pinned[] = [];
  let waitingBytes = 0;

  const bytesIn = ({ dtype, shape }: Pick<CudaValue, 'dtype' | 'shape'>): number =>
    sizeOf(shape) * bytesPerElement[dtype];
  function giveBack(address: bigint, bytes: number): void {
    if (bytes <= littleBytes) kept.give(bytes, address);
    else cuda.release(address);
  }
  function blank(dtype: HeldType, shape: readonly number[]): CudaValue {
    const bytes = bytesIn({ dtype, shape });
    const address = kept.take(bytes) ?? cuda.allocate(bytes);
    try {
      return { ...valueAt(api, info, address, bytes, dtype, shape), address };
    } catch (error) {
      giveBack(address, bytes);
      throw error;
    }
  }
  function release(value: CudaValue): void {
    api.call('ReleaseValue', value.handle);
    giveBack(value.address, bytesIn(value));
  }
  /** Takes what waits; once it has been read, it goes back to `pinned`. */
  function takeWaiting(): readonly Pinned[] {
    const pieces = waiting;
    waiting = [];
    waitingBytes = 0;
    return pieces;
  }
  const settled = (pieces: readonly Pinned[]): void => {
    for (const piece of pieces) pinned.give(piece.bytes.length, piece);
  };
  return {
    blank,
    release,
    upload(t) {
      const { dtype, shape, data } = heldTensor(t);
      const value = blank(dtype, shape);
      try {
        cuda.toDevice(value.address, data);
        return value;
      } catch (error) {
        release(value);
        throw error;
      }
    },
    fill({ address }, t) {
      const { buffer, byteOffset, byteLength } = heldTensor(t).data;
      if (waitingBytes + byteLength > mostPinned) {
        cuda.finish();
        settled(takeWaiting());
      }
      const piece = pinned.take(byteLength) ?? cuda.pin(byteLength);
      waiting.push(piece);
      waitingBytes += byteLength;
      piece.bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
      cuda.beginToDevice(address, piece, byteLength);
    },
    async done() {
      const pieces = takeWaiting();
      await cuda.finished();
      settled(pieces);
    },
    read({ dtype, shape, address }) {
      const t = zeros(dtype, shape) as Tensor;
      cuda.toHost(t.data, address);
      return t;
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
  };
}
