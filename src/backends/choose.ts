import { UsageError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { ortBackend } from './ort/ortBackend.ts';

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

/** Opens a backend by name. Throws UsageError for an unknown one. */
export function openBackend(name: string, options: BackendOptions = {}): Promise<Backend> {
  if (Object.hasOwn(backends, name)) return backends[name as BackendName](options);
  throw new UsageError(`there is no backend "${name}"`, {
    fix: `choose one of ${Object.keys(backends).join(', ')}`,
  });
}
