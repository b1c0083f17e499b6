import { UsageError } from '../errors.ts';
import { type Adapter, mayHaveGpu } from './adapter.ts';
import type { Backend } from './backend.ts';
import { type BackendOptions, deviceOf, devicesOf } from './registry.ts';
import { processBackend } from './worker/process/processBackend.ts';
import { workerBackend } from './worker/workerBackend.ts';

/** A backend, and the GPU that it runs on if it does. */
export interface Opened {
  readonly backend: Backend;
  readonly adapter?: Adapter;
}

/** Opens one device of a backend. Throws UsageError for an unknown one, DeviceError where it does not run. */
export async function openOn(
  name: string,
  device: string,
  options: BackendOptions = {},
): Promise<Opened> {
  const { home, gpu } = deviceOf(name, device);
  const wanted = { ...options, device };
  if (home === 'process') {
    const opened = await processBackend(name, wanted);
    return gpu === 'always' ? { ...opened, adapter: { name: undefined, kind: 'real' } } : opened;
  }
  return { backend: await workerBackend(name, wanted) };
}

/** The backend on a real GPU; undefined where it runs on none. */
export async function onRealGpu(
  name: string,
  options: BackendOptions = {},
  possible = mayHaveGpu(),
): Promise<Backend | undefined> {
  if (!possible) return undefined;
  for (const [device, { gpu }] of Object.entries(devicesOf(name))) {
    if (gpu === 'no') continue;
    const opened = await openOn(name, device, options).catch((error) => {
      // What was asked for wrongly is told, though another device would do.
      if (error instanceof UsageError) throw error;
      return undefined;
    });
    if (opened?.adapter?.kind === 'real') return opened.backend;
    await opened?.backend.close?.();
  }
  return undefined;
}

/**
 * Opens a backend by name, in a thread or process of its own: backends keep their thread for as long as a
 * program runs, and this one has signals to hear and batches to prepare. Its description says which
 * device it took. Throws UsageError for an unknown one, DeviceError where it does not run.
 */
export async function openBackend(name: string, options: BackendOptions = {}): Promise<Backend> {
  const { device = 'cpu' } = options;
  if (device !== 'auto') return (await openOn(name, device, options)).backend;
  return (await onRealGpu(name, options)) ?? (await openOn(name, 'cpu', options)).backend;
}

/** Opens `name:device`, or `name` on the device of the options. Throws UsageError, DeviceError as `openBackend`. */
export function openOnDevice(
  nameAndDevice: string,
  options: BackendOptions = {},
): Promise<Backend> {
  const [name, device] = nameAndDevice.split(':');
  return openBackend(name, device === undefined ? options : { ...options, device });
}
