import { DeviceError } from '../../../errors.ts';
import { type Adapter, adapterOf } from '../../adapter.ts';
import type { Backend } from '../../backend.ts';
import type { BackendOptions } from '../../registry.ts';
import { backendIn } from '../workerBackend.ts';
import { complaints, vulkanDevice } from './processNotes.ts';
import { startProcess } from './startProcess.ts';

/**
 * Backend `name` in a process of its own: like `workerBackend`, and what ends that process is a DeviceError
 * here. Says which GPU it runs on. Throws what opening the backend throws, with what the Vulkan loader said.
 */
export async function processBackend(
  name: string,
  options: BackendOptions,
): Promise<{ readonly backend: Backend; readonly adapter: Adapter }> {
  const far = startProcess(name, options);
  const notes = async () => {
    far.ref();
    const lines = await far.notes;
    far.unref();
    return lines;
  };
  try {
    const backend = await backendIn(far, name, 'process');
    const adapter = adapterOf(vulkanDevice(await notes()));
    return { adapter, backend: { ...backend, description: described(backend, adapter) } };
  } catch (error) {
    if (!(error instanceof DeviceError) || error.fix !== undefined) throw error;
    const [said] = complaints(await notes());
    throw new DeviceError(said === undefined ? error.message : `${error.message} (${said})`, {
      fix: '`swa-align devices` lists what runs here',
    });
  }
}

function described({ description }: Backend, { name, kind }: Adapter): string {
  if (name === undefined) return description;
  return `${description} on ${name}${kind === 'software' ? ', a software GPU' : ''}`;
}
