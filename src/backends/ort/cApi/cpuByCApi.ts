import type { Backend } from '../../backend.ts';
import { targets } from '../lowering/target.ts';
import { cApiBackend } from './cApiBackend.ts';
import { openLibrary } from './library.ts';
import { hostMemory } from './memory.ts';
import { cpuProvider } from './providers.ts';

/** ONNX Runtime's CPU provider by its C API. Throws DeviceError where the library cannot be called. */
export async function cpuByCApi({ threads }: { readonly threads?: number } = {}): Promise<Backend> {
  const api = await openLibrary();
  return cApiBackend({
    api,
    provider: cpuProvider,
    memory: hostMemory(api),
    target: targets.cpu,
    device: 'cpu',
    description: `ONNX Runtime ${api.version}, CPU`,
    threads,
  });
}
