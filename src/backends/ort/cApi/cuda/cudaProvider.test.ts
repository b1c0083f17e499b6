import { expect, test } from 'vitest';
import { hasKoffi } from '../../../../native/koffi.ts';
import { openLibrary } from '../library.ts';

// The other functions that make options ask for the provider itself; this one writes to them at once.
test.skipIf(!hasKoffi())(
  'the stream of a provider stands where the library keeps it (needs koffi)',
  async () => {
    const api = await openLibrary();
    const options = new Uint8Array(1 << 12);
    api.call('UpdateCUDAProviderOptionsWithValue', options, 'user_compute_stream', 0x1234n);
    // OrtCUDAProviderOptionsV2: int device_id, int has_user_compute_stream, void *user_compute_stream.
    expect([...new BigUint64Array(options.buffer, 0, 2)]).toEqual([1n << 32n, 0x1234n]);
  },
);
