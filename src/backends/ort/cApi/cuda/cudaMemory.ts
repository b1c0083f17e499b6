import { sizeOf } from '../../../../tensor/shape.ts';
import {
  bytesPerElement,
  type Tensor,
  tensor,
  toFloat32,
  zeros,
} from '../../../../tensor/tensor.ts';
import type { OrtApi } from '../api.ts';
import { type HeldType, type Memory, memoryInfo, type OrtValue, valueAt } from '../memory.ts';
import type { CudaRuntime } from './cudaRuntime.ts';

/** A tensor on the card. */
export interface CudaValue extends OrtValue {
  readonly address: bigint;
}

/** Memory of the card, which runs read and write in place. */
export function cudaMemory(api: OrtApi, cuda: CudaRuntime): Memory<CudaValue> {
  const info = memoryInfo(api, 'Cuda');
  const blank = (dtype: HeldType, shape: readonly number[]): CudaValue => {
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    const address = cuda.allocate(bytes);
    try {
      return { ...valueAt(api, info, address, bytes, dtype, shape), address };
    } catch (error) {
      cuda.release(address);
      throw error;
    }
  };
  return {
    blank,
    upload(t) {
      const held: Tensor = t.dtype === 'int64' ? t : tensor('float32', t.shape, toFloat32(t));
      const value = blank(t.dtype === 'int64' ? 'int64' : 'float32', t.shape);
      cuda.toDevice(value.address, held.data);
      return value;
    },
    read({ dtype, shape, address }) {
      const t = zeros(dtype, shape) as Tensor;
      cuda.toHost(t.data, address);
      return t;
    },
    release({ handle, address }) {
      api.call('ReleaseValue', handle);
      cuda.release(address);
    },
  };
}
