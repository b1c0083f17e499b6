import { UsageError } from '../errors.ts';
import { type Adapter, mayHaveGpu } from './adapter.ts';
import type { Backend } from './backend.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { ortBackend } from './ort/ortBackend.ts';
import { webgpuBackend } from './ort/webgpuBackend.ts';
import { tfjsBackend } from './tfjs/tfjsBackend.ts';
import type { Home } from './worker/farSide.ts';
import { processBackend } from './worker/processBackend.ts';
import { workerBackend } from './worker/workerBackend.ts';

export interface BackendOptions {
  /** Threads inside one operator; by default one a core. */
  readonly threads?: number;
  /** Where it computes: the CPU by default; `auto` is a real GPU where there is one, else the CPU. */
  readonly device?: string;
  /** Whose derivative rules count where a backend has some too: `own`, the default, or `ir`. */
  readonly grad?: string;
}

interface Device {
  readonly open: (options: BackendOptions) => Promise<Backend>;
  /** A process for whatever ends its process when it fails, or when its thread ends. */
  readonly home: Home;
  readonly isGpu: boolean;
}

const inThread = (open: Device['open']): Device => ({ open, home: 'thread', isGpu: false });
const inOwnProcess = (open: Device['open']): Device => ({ open, home: 'process', isGpu: false });
const onGpu = (open: Device['open']): Device => ({ open, home: 'process', isGpu: true });

/** Refuses derivative rules that a backend does not have. */
const byOurRules =
  (name: string, open: Device['open']): Device['open'] =>
  async (options) => {
    if (options.grad === undefined || options.grad === 'ir') return open(options);
    throw new UsageError(`the ${name} backend has no derivative rules of its own`, {
      fix: 'leave --grad out, or choose --backend tfjs',
    });
  };

/** Every backend by the name the command line uses, and its devices. Each has a `cpu`. */
export const backends = {
  ort: {
    cpu: inThread(byOurRules('ort', ortBackend)),
    webgpu: onGpu(byOurRules('ort', webgpuBackend)),
  },
  oracle: { cpu: inThread(byOurRules('oracle', async () => oracleBackend())) },
  // Never taken by `auto`: they are here to be compared with.
  tfjs: {
    cpu: inThread(tfjsBackend),
    webgpu: inOwnProcess(tfjsBackend),
    tensorflow: inOwnProcess(tfjsBackend),
  },
} as const satisfies Record<string, Readonly<Record<string, Device>>>;

export type BackendName = keyof typeof backends;

/** The devices of a backend. Throws UsageError for an unknown one. */
function devicesOf(name: string): Readonly<Record<string, Device>> {
  if (Object.hasOwn(backends, name)) return backends[name as BackendName];
  throw new UsageError(`there is no backend "${name}"`, {
    fix: `choose one of ${Object.keys(backends).join(', ')}`,
  });
}

function deviceOf(name: string, device: string): Device {
  const known = devicesOf(name);
  if (Object.hasOwn(known, device)) return known[device];
  throw new UsageError(`the ${name} backend has no device "${device}"`, {
    fix: `choose one of ${['auto', ...Object.keys(known)].join(', ')}`,
  });
}

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
  const { home } = deviceOf(name, device);
  const wanted = { ...options, device };
  if (home === 'process') return processBackend(name, wanted);
  return { backend: await workerBackend(name, wanted) };
}

/** The backend on a real GPU; undefined where it runs on none. */
export async function onRealGpu(
  name: string,
  options: BackendOptions = {},
  possible = mayHaveGpu(),
): Promise<Backend | undefined> {
  if (!possible) return undefined;
  for (const [device, { isGpu }] of Object.entries(devicesOf(name))) {
    if (!isGpu) continue;
    const opened = await openOn(name, device, options).catch(() => undefined);
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

/** Opens a backend by name in the thread that asks. Throws UsageError for an unknown one. */
export const openInProcess = async (name: string, options: BackendOptions = {}): Promise<Backend> =>
  deviceOf(name, options.device ?? 'cpu').open(options);

/** Every backend on every device there is, as `name` or `name:device`. */
export const everyBackend = [
  'ort',
  'ort:webgpu',
  'tfjs:tensorflow',
  'tfjs:webgpu',
  'tfjs:cpu',
  'oracle',
] as const;

/** Opens `name:device`, or `name` on the device of the options. Throws UsageError, DeviceError as `openBackend`. */
export function openOnDevice(
  nameAndDevice: string,
  options: BackendOptions = {},
): Promise<Backend> {
  const [name, device] = nameAndDevice.split(':');
  return openBackend(name, device === undefined ? options : { ...options, device });
}
