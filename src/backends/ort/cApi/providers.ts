import type { Handle, OrtApi } from './api.ts';

/** An execution provider of the library. */
export interface Provider {
  /** As the library names it. */
  readonly name: string;
  /** What a session has to be told. */
  readonly choose: (api: OrtApi, sessionOptions: Handle) => void;
}

/** The CPU's is in every session, whatever else is chosen. */
export const cpuProvider: Provider = { name: 'CPUExecutionProvider', choose: () => {} };
