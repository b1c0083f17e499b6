import { UsageError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { ortBackend } from './ort/ortBackend.ts';
import { tfjsBackend } from './tfjs/tfjsBackend.ts';
import { workerBackend } from './worker/workerBackend.ts';

export interface BackendOptions {
  /** Threads inside one operator; by default one a core. */
  readonly threads?: number;
  /** Where it computes, for a backend that has a choice; by default its first. */
  readonly device?: string;
  /** Whose derivative rules count where a backend has some too: `own`, the default, or `ir`. */
  readonly grad?: string;
}

/** Refuses another device than the processor. */
function onCpu(name: string, options: BackendOptions): BackendOptions {
  if (options.device === undefined || options.device === 'cpu') return options;
  throw new UsageError(`the ${name} backend has no device "${options.device}"`, {
    fix: 'leave --device out, or choose another --backend',
  });
}

/** Refuses derivative rules that a backend does not have. */
function onlyOurRules(name: string, options: BackendOptions): BackendOptions {
  if (options.grad === undefined || options.grad === 'ir') return options;
  throw new UsageError(`the ${name} backend has no derivative rules of its own`, {
    fix: 'leave --grad out, or choose --backend tfjs',
  });
}

/** Every backend by the name the command line uses. */
export const backends = {
  ort: async (options: BackendOptions) => ortBackend(onlyOurRules('ort', onCpu('ort', options))),
  oracle: async (options: BackendOptions) => {
    onlyOurRules('oracle', onCpu('oracle', options));
    return oracleBackend();
  },
  tfjs: (options: BackendOptions) => tfjsBackend(options),
} as const satisfies Record<string, (options: BackendOptions) => Promise<Backend>>;

export type BackendName = keyof typeof backends;

function checkedName(name: string): BackendName {
  if (Object.hasOwn(backends, name)) return name as BackendName;
  throw new UsageError(`there is no backend "${name}"`, {
    fix: `choose one of ${Object.keys(backends).join(', ')}`,
  });
}

/**
 * Opens a backend by name, in a thread of its own: both keep their thread for as long as a program runs,
 * and this one has signals to hear and batches to prepare. Throws UsageError for an unknown one.
 */
export const openBackend = async (name: string, options: BackendOptions = {}): Promise<Backend> =>
  workerBackend(checkedName(name), options);

/** Opens a backend by name in the thread that asks. Throws UsageError for an unknown one. */
export const openInProcess = async (name: string, options: BackendOptions = {}): Promise<Backend> =>
  backends[checkedName(name)](options);

/** Every backend on every device there is, as `name` or `name:device`. */
export const everyBackend = [
  'ort',
  'tfjs:tensorflow',
  'tfjs:webgpu',
  'tfjs:cpu',
  'oracle',
] as const;

/** Opens `name:device`, or `name` on its first device. Throws UsageError, DeviceError as `openBackend`. */
export function openOnDevice(
  nameAndDevice: string,
  options: BackendOptions = {},
): Promise<Backend> {
  const [name, device] = nameAndDevice.split(':');
  return openBackend(name, device === undefined ? options : { ...options, device });
}
