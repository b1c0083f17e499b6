import { DeviceError } from '../../../../errors.ts';
import type { NativeFunction, NativeLibrary } from '../../../../native/koffi.ts';

/** cudaMemcpyKind. */
const kinds = { toDevice: 1, toHost: 2 } as const;

/** What cudaGetDeviceProperties writes is under 2 KiB, and begins with 256 bytes of name. */
const [propertiesBytes, nameBytes] = [1 << 14, 256];

/** The few functions of CUDA's runtime that move memory. Each throws DeviceError with CUDA's own words. */
export interface CudaRuntime {
  /** Of the device that is used, the first. */
  readonly deviceName: string;
  /** An address on the device. */
  allocate(bytes: number): bigint;
  release(address: bigint): void;
  toDevice(address: bigint, from: ArrayBufferView): void;
  /** Waits for all that was begun on the device. */
  toHost(into: ArrayBufferView, address: bigint): void;
}

/** Throws DeviceError where there is no driver, or no card. */
export function cudaRuntime(library: NativeLibrary): CudaRuntime {
  const errorText = library.func<string>('const char *cudaGetErrorString(int code)');
  const checked = (prototype: string): ((...args: readonly unknown[]) => void) => {
    const of: NativeFunction = library.func(prototype);
    return (...args) => {
      const code = of(...args);
      if (code !== 0) throw new DeviceError(`CUDA: ${errorText(code)}`);
    };
  };
  const countDevices = checked('int cudaGetDeviceCount(_Out_ int *count)');
  const properties = checked('int cudaGetDeviceProperties(void *properties, int device)');
  const malloc = checked('int cudaMalloc(_Out_ uint64_t *address, size_t bytes)');
  const free = checked('int cudaFree(uint64_t address)');
  const copyIn = checked('int cudaMemcpy(uint64_t to, void *from, size_t bytes, int kind)');
  const copyOut = checked('int cudaMemcpy(void *to, uint64_t from, size_t bytes, int kind)');
  const synchronize = checked('int cudaDeviceSynchronize()');

  const count: [number] = [0];
  countDevices(count);
  if (count[0] === 0) throw new DeviceError('CUDA: there is no card');
  const text = new Uint8Array(propertiesBytes);
  properties(text, 0);
  const end = text.subarray(0, nameBytes).indexOf(0);

  return {
    deviceName: new TextDecoder().decode(text.subarray(0, end)),
    allocate(bytes) {
      const address: [bigint | number] = [0];
      malloc(address, Math.max(1, bytes));
      return BigInt(address[0]);
    },
    release: (address) => free(address),
    toDevice(address, from) {
      copyIn(address, from, from.byteLength, kinds.toDevice);
      // It may be under way still, and ONNX Runtime's stream does not wait for it.
      synchronize();
    },
    toHost(into, address) {
      synchronize();
      copyOut(into, address, into.byteLength, kinds.toHost);
    },
  };
}
