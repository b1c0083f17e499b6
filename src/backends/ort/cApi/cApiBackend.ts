import { DeviceError, GraphError } from '../../../errors.ts';
import type { Program } from '../../../program/program.ts';
import type { Backend, DeviceState, Executable } from '../../backend.ts';
import { checkInputs, stateValue } from '../../feeds.ts';
import { fetchRoom } from '../fetchRoom.ts';
import { lowerProgram } from '../lowering/lowerProgram.ts';
import type { Target } from '../lowering/target.ts';
import type { Handle, OrtApi } from './api.ts';
import {
  type HeldType,
  type HostMemory,
  hostMemory,
  type Memory,
  type OrtValue,
} from './memory.ts';
import type { Provider } from './providers.ts';
import { openSession } from './session.ts';
import { type Spares, sparesOf } from './spares.ts';

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
}

/** Errors and worse: ORT_LOGGING_LEVEL_ERROR. */
const logLevel = 3;

interface Opened extends CApiParts {
  readonly environment: Handle;
  readonly host: HostMemory;
}

/**
 * ONNX Runtime by its C API, in float32. Inputs are read and results written where they lie, and a run writes the
 * state into the memory of the one before: nothing is copied or made anew from step to step.
 */
export function cApiBackend(parts: CApiParts): Backend {
  const { api, memory, device, description } = parts;
  const [environment] = api.make('CreateEnv', logLevel, 'swa-align');
  const opened: Opened = { ...parts, environment, host: hostMemory(api) };
  return {
    name: 'ort',
    device,
    precision: 'float32',
    description,
    compile: (program, fetches) => compile(program, fetches, opened),
    upload: async (values) => new Map([...values].map(([name, t]) => [name, memory.upload(t)])),
    download: async (state, names = [...state.keys()]) =>
      new Map(names.map((name) => [name, memory.read(held(state, name))])),
    async free(state) {
      for (const value of state.values()) memory.release(value as OrtValue);
      state.clear();
    },
  };
}

function held(state: DeviceState, name: string): OrtValue {
  const value = state.get(name);
  if (value === undefined) throw new GraphError(`there is no state called ${name}`);
  return value as OrtValue;
}

const typeOf = (dtype: 'float' | 'int'): HeldType => (dtype === 'int' ? 'int64' : 'float32');

async function compile(
  program: Program,
  fetches: readonly string[],
  { api, provider, memory, target, threads, environment, host }: Opened,
): Promise<Executable> {
  const lowered = lowerProgram(program, fetches, target);
  const named = (cause: Error) =>
    new DeviceError(`ONNX Runtime refused the ${program.name}: ${cause.message}`);
  const session = await openSession(api, environment, lowered.model, { threads, provider }).catch(
    (cause) => {
      throw named(cause);
    },
  );
  const stray = session.placement.find((node) => node.provider !== provider.name);
  if (stray !== undefined) {
    session.release();
    throw named(new Error(`${provider.name} has no ${stray.operator} for ${stray.node}`));
  }
  const spares: Spares = sparesOf(memory);
  const nextOf = (name: string) => program.state.get(name)!.next!;

  return {
    async run(state, inputs) {
      checkInputs(program, inputs);
      const read = lowered.stateIn.map(
        (name) =>
          [name, stateValue(program, state, program.state.get(name)!.current) as OrtValue] as const,
      );
      const fed = lowered.inputs.map((name) => [name, host.lend(inputs.get(name)!)] as const);
      const room = fetchRoom(program, lowered.fetched.keys());
      const fetched = [...lowered.fetched].map(
        ([name, output]) => [output, host.lend(room.get(name)!)] as const,
      );
      const next = [...lowered.nextState].map(([name, output]) => {
        const { dtype, shape } = nextOf(name);
        return { name, output, value: spares.take(typeOf(dtype), shape) };
      });
      const replaced = new Map(next.map(({ name }) => [name, state.get(name)]));
      try {
        const written = next.map(({ output, value }) => [output, value] as const);
        await session.run(new Map([...read, ...fed]), new Map([...fetched, ...written]));
        for (const { name, value } of next) state.set(name, value);
        for (const value of replaced.values()) if (value) spares.give(value as OrtValue);
      } catch (error) {
        for (const { value } of next) spares.give(value);
        throw error;
      } finally {
        for (const [, value] of [...fed, ...fetched]) host.release(value);
      }
      return room;
    },
    async dispose() {
      spares.empty();
      session.release();
    },
  };
}
