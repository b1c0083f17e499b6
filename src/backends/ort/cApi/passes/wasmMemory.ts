import type { Shape } from '../../../../tensor/shape.ts';
import { sizeOf } from '../../../../tensor/shape.ts';
import { type Tensor, tensor, toFloat32 } from '../../../../tensor/tensor.ts';
import type { OrtApi } from '../api.ts';
import { type HostValue, hostMemory, type Memory } from '../memory.ts';
import type { Pass } from './pass.ts';
import { mostPages, passModule } from './passModule.ts';
import { type SharedMemory, webAssembly } from './webAssembly.ts';

/** Memory that WebAssembly works on, of the whole process: addresses in bytes. */
export interface WasmMemory {
  readonly memory: SharedMemory;
  /** Undefined where 4 GiB, or what the machine gives, are used up. */
  allocate(bytes: number): number | undefined;
  release(address: number, bytes: number): void;
}

const pageBytes = 1 << 16;
/** Of a cache line: the engine's kernels read aligned vectors. */
const alignment = 64;

const padded = (bytes: number): number => Math.max(1, Math.ceil(bytes / alignment)) * alignment;

/** What is released is kept for the next of the same size: states come again and again in the same sizes. */
export function wasmMemory(maximum = mostPages): WasmMemory {
  // Shared memory stays in place when it grows: the engine holds addresses in it.
  const memory = new webAssembly!.Memory({ initial: 1, maximum, shared: true });
  const free = new Map<number, number[]>();
  let end = 0;
  return {
    memory,
    allocate(bytes) {
      const size = padded(bytes);
      const again = free.get(size)?.pop();
      if (again !== undefined) return again;
      const missing = end + size - memory.buffer.byteLength;
      try {
        if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
      } catch {
        return undefined;
      }
      end += size;
      return end - size;
    },
    release(address, bytes) {
      const size = padded(bytes);
      const list = free.get(size) ?? [];
      free.set(size, list);
      list.push(address);
    },
  };
}

let ofThread: WasmMemory | undefined;

/** The one of this thread. Undefined where there is no WebAssembly with vectors, or no room for 4 GiB of addresses. */
export function theWasmMemory(): WasmMemory | undefined {
  try {
    if (webAssembly?.validate(passModule(anyPass))) ofThread ??= wasmMemory();
  } catch {
    // A limit of addresses, as `ulimit -v` sets it.
  }
  return ofThread;
}

const anyPass: Pass = {
  ...{ size: 1, tensors: [{ from: 'state', name: 'w' }], scalars: [], sums: [] },
  ...{ steps: [{ op: 'neg', operands: [0] }], writes: [{ state: 'w', value: 1 }] },
};

/** A tensor that a pass can reach. */
export interface ReachedValue extends HostValue {
  readonly address: number;
}

export const isReached = (value: HostValue): value is ReachedValue => 'address' in value;

/** Memory of the host in which passes reach the float tensors of at least `least` elements, while there is room. */
export interface ReachedMemory extends Memory<HostValue> {
  readonly wasm: WasmMemory;
  /** So many floats that passes reach; undefined where there is no room for them. */
  room(length: number): Float32Array | undefined;
  /** The address of an array that passes reach, whichever thread made it. */
  addressOf(data: ArrayBufferView): number | undefined;
}

export function reachedMemory(api: OrtApi, wasm: WasmMemory, least: number): ReachedMemory {
  const { memory, allocate, release } = wasm;
  const host = hostMemory(api);
  const begin = api.address(new Uint8Array(memory.buffer));
  function reached(shape: Shape): ReachedValue | undefined {
    const size = sizeOf(shape);
    const data = size >= least ? room(size) : undefined;
    if (data === undefined) return undefined;
    return { ...host.lend(tensor('float32', shape, data) as Tensor), address: data.byteOffset };
  }
  function room(length: number): Float32Array | undefined {
    const address = allocate(4 * length);
    return address === undefined ? undefined : new Float32Array(memory.buffer, address, length);
  }
  return {
    wasm,
    room,
    addressOf(data) {
      // What others write to is shared: all else is left out without asking where it lies.
      if (!(data.buffer instanceof SharedArrayBuffer)) return undefined;
      const at = Number(api.address(data) - begin);
      return at >= 0 && at < memory.buffer.byteLength ? at : undefined;
    },
    blank: (dtype, shape) =>
      (dtype === 'float32' ? reached(shape) : undefined) ?? host.blank(dtype, shape),
    upload(t) {
      const value = t.dtype === 'int64' ? undefined : reached(t.shape);
      if (value === undefined) return host.upload(t);
      (value.tensor.data as Float32Array).set(toFloat32(t));
      return value;
    },
    read: host.read,
    release(value) {
      host.release(value);
      if (isReached(value)) release(value.address, value.tensor.data.byteLength);
    },
  };
}
