import { DeviceError, UsageError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Precision } from './ort/precision.ts';

export interface BackendOptions {
  /** Threads inside one operator; by default one a core. */
  readonly threads?: number;
  /** Where it computes: the CPU by default; `auto` is a real GPU where there is one, else the CPU. */
  readonly device?: string;
  /** Whose derivative rules count where a backend has some too: `own`, the default, or `ir`. */
  readonly grad?: string;
  /** Where ONNX Runtime's CUDA provider lies; looked for where it is not said. */
  readonly ortLibrary?: string;
  /** How a GPU makes products: `fp32`, the default, or `tf32`. */
  readonly precision?: Precision;
}

/** Where a backend lives: in a thread beside this one, or in a process of its own. */
export type Home = 'thread' | 'process';

type Open = (options: BackendOptions) => Promise<Backend>;

/** One device of a backend: what the registry says of it. */
export interface Device {
  /** Loads the engine and opens it in the thread that asks. */
  readonly open: Open;
  /** A process for whatever ends its process when it fails, or when its thread ends. */
  readonly home: Home;
  /** `--device auto` takes it where it is a real GPU: `always` is one wherever it opens. */
  readonly gpu: 'no' | 'by its name' | 'always';
  /** What `--precision` it has besides `fp32`. */
  readonly coarser?: readonly Precision[];
}

/** Refuses derivative rules that a backend does not have. */
const byOurRules =
  (name: string, open: Open): Open =>
  async (options) => {
    if (options.grad === undefined || options.grad === 'ir') return open(options);
    throw new UsageError(`the ${name} backend has no derivative rules of its own`, {
      fix: 'leave --grad out, or choose --backend tfjs',
    });
  };

/** Opens the second where the first does not run here. Any other failure of the first is thrown. */
export const orElse =
  (first: Open, second: Open): Open =>
  (options) =>
    first(options).catch((error) => {
      if (error instanceof DeviceError) return second(options);
      throw error;
    });

/** Slower than the C API, to the same bits of state. */
const openBinding = byOurRules('ort', async (options) => {
  const backend = await (await import('./ort/cpu/ortBackend.ts')).ortBackend(options);
  return { ...backend, description: `${backend.description}, by the JavaScript binding` };
});
const openCApi = byOurRules('ort', async (options) =>
  (await import('./ort/cApi/cpuByCApi.ts')).cpuByCApi(options),
);
const openCuda = byOurRules('ort', async (options) =>
  (await import('./ort/cApi/cuda/cudaBackend.ts')).cudaBackend(options),
);
const openWebgpu = byOurRules('ort', async () =>
  (await import('./ort/webgpu/webgpuBackend.ts')).webgpuBackend(),
);
const openOracle = byOurRules('oracle', async () =>
  (await import('./oracle/oracleBackend.ts')).oracleBackend(),
);
const openTfjs: Open = async (options) =>
  (await import('./tfjs/tfjsBackend.ts')).tfjsBackend(options);

/**
 * Every backend by the name the command line uses, and its devices, in the order in which `--all-backends` runs
 * them. Each has a `cpu`. An engine is loaded when it is opened: reading this table loads none.
 */
export const backends = {
  ort: {
    cpu: { open: orElse(openCApi, openBinding), home: 'thread', gpu: 'no' },
    'cpu-js': { open: openBinding, home: 'thread', gpu: 'no' },
    cuda: { open: openCuda, home: 'process', gpu: 'always', coarser: ['tf32'] },
    webgpu: { open: openWebgpu, home: 'process', gpu: 'by its name' },
  },
  // Never taken by `auto`: they are here to be compared with.
  tfjs: {
    tensorflow: { open: openTfjs, home: 'process', gpu: 'no' },
    webgpu: { open: openTfjs, home: 'process', gpu: 'no' },
    cpu: { open: openTfjs, home: 'thread', gpu: 'no' },
  },
  oracle: { cpu: { open: openOracle, home: 'thread', gpu: 'no' } },
} as const satisfies Record<string, Readonly<Record<string, Device>>>;

export type BackendName = keyof typeof backends;

export const backendNames = Object.keys(backends) as readonly BackendName[];

/** The devices of a backend. Throws UsageError for an unknown one. */
export function devicesOf(name: string): Readonly<Record<string, Device>> {
  if (Object.hasOwn(backends, name)) return backends[name as BackendName];
  throw new UsageError(`there is no backend "${name}"`, {
    fix: `choose one of ${backendNames.join(', ')}`,
  });
}

/** Throws UsageError for an unknown one. */
export function deviceOf(name: string, device: string): Device {
  const known = devicesOf(name);
  if (Object.hasOwn(known, device)) return known[device];
  throw new UsageError(`the ${name} backend has no device "${device}"`, {
    fix: `choose one of ${['auto', ...Object.keys(known)].join(', ')}`,
  });
}

/** Throws UsageError where `name` or `name:device` names none. */
export function checkBackend(nameAndDevice: string): void {
  const [name, device = 'cpu'] = nameAndDevice.split(':');
  if (device !== 'auto') deviceOf(name, device);
}

/** Every backend on every device there is, as `name:device`, or `name` alone for the only or first one. */
export const everyBackend: readonly string[] = Object.entries(backends).flatMap(([name, devices]) =>
  Object.keys(devices).map((device, i) =>
    i === 0 && device === 'cpu' ? name : `${name}:${device}`,
  ),
);

/** Opens a backend by name in the thread that asks. Throws UsageError for an unknown one, or a precision it does not have. */
export async function openInProcess(name: string, options: BackendOptions = {}): Promise<Backend> {
  const { device = 'cpu', precision = 'fp32' } = options;
  const { open, coarser = [] } = deviceOf(name, device);
  if (precision === 'fp32' || coarser.includes(precision)) return open(options);
  throw new UsageError(`${name} on ${device} computes in float32 alone`, {
    where: `--precision ${precision}`,
    fix: 'leave it out, or choose --device cuda',
  });
}
