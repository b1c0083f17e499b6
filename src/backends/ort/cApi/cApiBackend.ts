import type { Backend } from '../../backend.ts';
import type { Target } from '../lowering/target.ts';
import type { Handle, OrtApi } from './api.ts';
import { compile, held, type Opened, type Passes } from './executable.ts';
import { hostMemory, isQueued, type Memory, type OrtValue } from './memory.ts';
import type { Provider } from './providers.ts';

/** What a backend on the C API is made of. */
export interface CApiParts {
  readonly api: OrtApi;
  readonly provider: Provider;
  /** Where state lies. */
  readonly memory: Memory;
  readonly target: Target;
  readonly device: string;
  readonly description: string;
  /** Threads inside one operator; by default one a core. */
  readonly threads: number | undefined;
  /** Their memory is `memory`. */
  readonly passes?: Passes;
}

/** Errors and worse: ORT_LOGGING_LEVEL_ERROR. */
const logLevel = 3;

/** There is one in a process, counted: with it comes the logger. */
export const openEnvironment = (api: OrtApi): Handle =>
  api.make('CreateEnv', logLevel, 'swa-align')[0];

/**
 * ONNX Runtime by its C API, in float32. A run writes the state into the memory of the one before. On the CPU inputs
 * are read and results written where they lie: nothing is copied or made anew from step to step. A device works
 * through a queue, and this side need not wait (`Executable.start`).
 */
export function cApiBackend(parts: CApiParts): Backend {
  const { api, memory, device, description } = parts;
  const running = new Set<Promise<unknown>>();
  const opened: Opened = {
    ...parts,
    running,
    environment: openEnvironment(api),
    host: hostMemory(api),
  };
  return {
    name: 'ort',
    device,
    precision: 'float32',
    description,
    compile: (program, fetches) => compile(program, fetches, opened),
    async upload(values) {
      const state = new Map<string, OrtValue>();
      try {
        for (const [name, t] of values) state.set(name, memory.upload(t));
        return state;
      } catch (error) {
        for (const value of state.values()) memory.release(value);
        throw error;
      }
    },
    async download(state, names = [...state.keys()]) {
      if (isQueued(memory)) await memory.done();
      return new Map(names.map((name) => [name, memory.read(held(state, name))]));
    },
    ...(parts.passes && { room: async (length) => parts.passes!.memory.room(length) }),
    async free(state) {
      await Promise.allSettled(running);
      for (const value of state.values() as Iterable<OrtValue>) {
        if (value.gone) continue;
        value.gone = true;
        memory.release(value);
      }
      state.clear();
    },
  };
}
