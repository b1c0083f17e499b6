import { DeviceError } from '../../../../errors.ts';
import type { Koffi, NativeFunction, NativeLibrary } from '../../../../native/koffi.ts';

/** cudaMemcpyKind. */
const kinds = { toDevice: 1, toHost: 2 } as const;

/** cudaStreamNonBlocking: the stream does not wait for the default one, nor that one for it. */
const nonBlocking = 1;

/** What cudaGetDeviceProperties writes is under 2 KiB, and begins with 256 bytes of name. */
const [propertiesBytes, nameBytes] = [1 << 14, 256];

/** Memory of the host that the card reads by itself, while the host goes on. */
export interface Pinned {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/**
 * The few functions of CUDA's runtime that move memory. All is done in one stream, in the order of the calls. Each
 * throws DeviceError with CUDA's own words.
 */
export interface CudaRuntime {
  /** Of the device that is used, the first. */
  readonly deviceName: string;
  readonly stream: bigint;
  /** An address on the device. */
  allocate(bytes: number): bigint;
  release(address: bigint): void;
  pin(bytes: number): Pinned;
  /** Begins a copy; the host may go on, but must leave `from` as it is until `finished`. */
  beginToDevice(address: bigint, from: Pinned, bytes: number): void;
  toDevice(address: bigint, from: ArrayBufferView): void;
  toHost(into: ArrayBufferView, address: bigint): void;
  /** Waits for all that was begun. */
  finish(): void;
  /** As `finish`, in another thread. */
  finished(): Promise<void>;
}

/** Throws DeviceError where there is no driver, or no card. */
export function cudaRuntime(koffi: Koffi, library: NativeLibrary): CudaRuntime {
  const errorText = library.func<string>('const char *cudaGetErrorString(int code)');
  function check(code: number): void {
    if (code !== 0) throw new DeviceError(`CUDA: ${errorText(code)}`);
  }
  const checked = (prototype: string): ((...args: readonly unknown[]) => void) => {
    const of: NativeFunction = library.func(prototype);
    return (...args) => check(of(...args));
  };
  const countDevices = checked('int cudaGetDeviceCount(_Out_ int *count)');
  const properties = checked('int cudaGetDeviceProperties(void *properties, int device)');
  const malloc = checked('int cudaMalloc(_Out_ uint64_t *address, size_t bytes)');
  const free = checked('int cudaFree(uint64_t address)');
  const mallocHost = checked('int cudaMallocHost(_Out_ void **address, size_t bytes)');
  const createStream = checked(
    'int cudaStreamCreateWithFlags(_Out_ uint64_t *stream, unsigned int flags)',
  );
  const copy = 'size_t bytes, int kind, uint64_t stream)';
  const copyIn = checked(`int cudaMemcpyAsync(uint64_t to, void *from, ${copy}`);
  const copyOut = checked(`int cudaMemcpyAsync(void *to, uint64_t from, ${copy}`);
  const copyPinned = checked(`int cudaMemcpyAsync(uint64_t to, uint64_t from, ${copy}`);
  const synchronize: NativeFunction = library.func('int cudaStreamSynchronize(uint64_t stream)');
  /** What a function wrote to its only output. */
  const written = (of: (into: unknown[]) => void): unknown => {
    const into: unknown[] = [null];
    of(into);
    return into[0];
  };

  if (written(countDevices) === 0) throw new DeviceError('CUDA: there is no card');
  const text = new Uint8Array(propertiesBytes);
  properties(text, 0);
  const end = text.subarray(0, nameBytes).indexOf(0);
  const stream = BigInt(written((into) => createStream(into, nonBlocking)) as bigint | number);
  const finish = (): void => check(synchronize(stream));

  return {
    deviceName: new TextDecoder().decode(text.subarray(0, end)),
    stream,
    allocate: (bytes) =>
      BigInt(written((into) => malloc(into, Math.max(1, bytes))) as bigint | number),
    release: (address) => free(address),
    pin(bytes) {
      const at = written((into) => mallocHost(into, Math.max(1, bytes)));
      return { address: koffi.address(at), bytes: new Uint8Array(koffi.view(at, bytes)) };
    },
    beginToDevice: (address, from, bytes) =>
      copyPinned(address, from.address, bytes, kinds.toDevice, stream),
    toDevice(address, from) {
      copyIn(address, from, from.byteLength, kinds.toDevice, stream);
      finish();
    },
    toHost(into, address) {
      copyOut(into, address, into.byteLength, kinds.toHost, stream);
      finish();
    },
    finish,
    finished: () =>
      new Promise((resolve, reject) => {
        synchronize.async(stream, (error: Error | null, code: number) => {
          try {
            if (error) throw error;
            check(code);
            resolve();
          } catch (failure) {
            reject(failure);
          }
        });
      }),
  };
}
