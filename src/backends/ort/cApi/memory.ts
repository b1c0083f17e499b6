import type { Shape } from '../../../tensor/shape.ts';
import { type Tensor, tensor, toFloat32, zeros } from '../../../tensor/tensor.ts';
import type { DeviceTensor } from '../../backend.ts';
import type { Handle, OrtApi } from './api.ts';

/** The types of what programs hold. */
export type HeldType = 'float32' | 'int64';

/** ONNXTensorElementDataType. */
export const elementTypes: Readonly<Record<HeldType, number>> = { float32: 1, int64: 7 };

/** A tensor where a session can read and write it. */
export interface OrtValue extends DeviceTensor {
  readonly dtype: HeldType;
  readonly handle: Handle;
  /** Replaced by a run, or freed: its memory is somebody else's, or nobody's. */
  gone: boolean;
}

/** Memory that tensors lie in: the host's, or a device's. */
export interface Memory<Value extends OrtValue = OrtValue> {
  /** A copy of `t`, floats as float32. */
  upload(t: Tensor): Value;
  /** Of any content. */
  blank(dtype: HeldType, shape: Shape): Value;
  /** A copy. */
  read(value: Value): Tensor;
  release(value: Value): void;
}

/** Memory of a device that does all work in the order in which it is begun, while the host goes on. */
export interface QueuedMemory<Value extends OrtValue = OrtValue> extends Memory<Value> {
  /** Begins to write `t`, of its shape, over a value; `t` may change at once. */
  fill(value: Value, t: Tensor): void;
  /** When all that was begun has ended. Throws what went wrong in it. */
  done(): Promise<void>;
}

export const isQueued = (memory: Memory): memory is QueuedMemory => 'fill' in memory;

/** A tensor of this process: what one side writes the other sees. */
export interface HostValue extends OrtValue {
  readonly tensor: Tensor;
  /** Short arrays lie in the heap, where they move, until their buffer is asked for. */
  readonly buffer: ArrayBufferLike;
}

export interface HostMemory extends Memory<HostValue> {
  /** Lends the memory of `t` where it is float32 or int64; a copy of any other. */
  lend(t: Tensor): HostValue;
}

/** OrtDeviceAllocator, OrtMemTypeDefault. */
const [ofDevice, memoryType] = [0, 0];

/** Describes the memory of a device to the library, as long as it runs. */
export const memoryInfo = (api: OrtApi, name: string, device = 0): Handle =>
  api.make('CreateMemoryInfo', name, ofDevice, device, memoryType)[0];

/** Wraps memory that lies at `data`, an array or an address. */
export function valueAt(
  api: OrtApi,
  info: Handle,
  data: unknown,
  bytes: number,
  dtype: HeldType,
  shape: Shape,
): OrtValue {
  const dims = BigInt64Array.from(shape, BigInt);
  const type = elementTypes[dtype];
  const [handle] = api.make(
    'CreateTensorWithDataAsOrtValue',
    ...[info, data, bytes, dims, dims.length, type],
  );
  return { dtype, shape, handle, gone: false };
}

/** `t` in a type that programs hold. */
export const heldTensor = (t: Tensor): Tensor<HeldType> =>
  t.dtype === 'int64' ? (t as Tensor<'int64'>) : tensor('float32', t.shape, toFloat32(t));

export function hostMemory(api: OrtApi): HostMemory {
  const info = memoryInfo(api, 'Cpu');
  const lend = (t: Tensor): HostValue => {
    const held = heldTensor(t);
    const { data, dtype, shape } = held;
    const { buffer } = data;
    return { ...valueAt(api, info, data, data.byteLength, dtype, shape), tensor: held, buffer };
  };
  const copy = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() }) as Tensor;
  return {
    lend,
    upload: (t) => lend(copy(t)),
    blank: (dtype, shape) => lend(zeros(dtype, shape) as Tensor),
    read: ({ tensor: held }) => copy(held),
    release: ({ handle }) => api.call('ReleaseValue', handle),
  };
}
