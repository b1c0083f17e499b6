import { UsageError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { ortBackend } from './ort/ortBackend.ts';
import { workerBackend } from './worker/workerBackend.ts';

export interface BackendOptions {
  /** Threads inside one operator; by default one a core. */
  readonly threads?: number;
}

/** Every backend by the name the command line uses. */
export const backends = {
  ort: (options: BackendOptions) => ortBackend(options),
  oracle: async () => oracleBackend(),
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
