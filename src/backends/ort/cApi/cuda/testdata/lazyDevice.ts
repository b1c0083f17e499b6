/**
 * A card as lazy as it may be: all that a stream is told to do, runs of sessions too, is done only when somebody waits
 * for it. What is reused too early, or read too early, shows. Its memory is the host's, its provider the CPU's.
 */
import { DeviceError } from '../../../../../errors.ts';
import type { Koffi } from '../../../../../native/koffi.ts';
import type { OrtApi } from '../../api.ts';
import type { CudaRuntime } from '../cudaRuntime.ts';

export interface LazyDevice {
  readonly api: OrtApi;
  readonly cuda: CudaRuntime;
  /** What was taken and not given back, and how often anybody waited. */
  readonly count: { allocated: number; bytes: number; pinned: number; waits: number };
}

const runs = 'RunWithBinding';
/** They come behind a run that reads what they release. */
const releases = ['ReleaseIoBinding', 'ReleaseValue'];

export function lazyDevice(koffi: Koffi, api: OrtApi, mostBytes = Infinity): LazyDevice {
  const allocate = koffi
    .load(null)
    .func('int posix_memalign(_Out_ void **at, size_t alignment, size_t bytes)');
  const release = koffi.load(null).func('void free(void *at)');
  const sizes = new Map<bigint, number>();
  const count = { allocated: 0, bytes: 0, pinned: 0, waits: 0 };
  const stream: (() => void)[] = [];
  const at = (bytes: number): bigint => {
    const into: unknown[] = [null];
    if (allocate(into, 64, Math.max(64, bytes)) !== 0) throw new DeviceError('no memory');
    return koffi.address(into[0]);
  };
  const seen = (address: bigint): Uint8Array =>
    new Uint8Array(koffi.view(address, sizes.get(address)!));
  const bytesOf = (view: ArrayBufferView): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  function finish(): void {
    count.waits += 1;
    for (const work of stream.splice(0)) work();
  }
  return {
    count,
    api: {
      ...api,
      call(name, ...args) {
        if (releases.includes(name)) stream.push(() => api.call(name, ...args));
        else api.call(name, ...args);
      },
      async callAside(name, ...args) {
        if (name !== runs) return api.callAside(name, ...args);
        stream.push(() => api.call(name, ...args));
        // A run without options waits for its end.
        if (args[1] === null) finish();
      },
    },
    cuda: {
      deviceName: 'a lazy one',
      stream: 0n,
      allocate(bytes) {
        if (count.bytes + bytes > mostBytes) throw new DeviceError('CUDA: out of memory');
        const address = at(bytes);
        sizes.set(address, bytes);
        count.allocated += 1;
        count.bytes += bytes;
        return address;
      },
      release(address) {
        finish();
        count.allocated -= 1;
        count.bytes -= sizes.get(address)!;
        sizes.delete(address);
        release(address);
      },
      pin(bytes) {
        count.pinned += 1;
        const address = at(bytes);
        return { address, bytes: new Uint8Array(koffi.view(address, bytes)) };
      },
      beginToDevice(address, from, bytes) {
        stream.push(() => seen(address).set(from.bytes.subarray(0, bytes)));
      },
      toDevice(address, from) {
        finish();
        seen(address).set(bytesOf(from));
      },
      toHost(into, address) {
        finish();
        bytesOf(into).set(seen(address).subarray(0, into.byteLength));
      },
      finish,
      finished: async () => finish(),
    },
  };
}
