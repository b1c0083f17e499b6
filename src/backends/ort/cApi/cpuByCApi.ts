import type { Backend } from '../../backend.ts';
import { targets } from '../lowering/target.ts';
import { cApiBackend } from './cApiBackend.ts';
import { openLibrary } from './library.ts';
import { hostMemory } from './memory.ts';
import { reachedMemory, theWasmMemory } from './passes/wasmMemory.ts';
import { cpuProvider } from './providers.ts';

/** For less the engine's passes are as good as ours. */
const leastElements = 1 << 14;

/**
 * ONNX Runtime's CPU provider by its C API; updates of weights are passes of our own, to the same bits. Throws
 * DeviceError where the library cannot be called.
 */
export async function cpuByCApi({
  threads,
  least = leastElements,
}: {
  readonly threads?: number;
  readonly least?: number;
} = {}): Promise<Backend> {
  const api = await openLibrary();
  const wasm = theWasmMemory();
  const reached = wasm && reachedMemory(api, wasm, least);
  return cApiBackend({
    api,
    provider: cpuProvider,
    memory: reached ?? hostMemory(api),
    ...(reached && { passes: { memory: reached, least } }),
    target: targets.cpu,
    device: 'cpu',
    description: `ONNX Runtime ${api.version}, CPU`,
    threads,
  });
}
