import { DeviceError, GraphError } from '../../../errors.ts';
import type { Program } from '../../../program/program.ts';
import type { Tensor, TensorMap } from '../../../tensor/tensor.ts';
import type { Backend, DeviceState, Executable } from '../../backend.ts';
import { checkInputs, stateValue } from '../../feeds.ts';
import { fetchRoom, keepForFetches } from '../fetchRoom.ts';
import { lowerProgram } from '../lowering/lowerProgram.ts';
import type { Target } from '../lowering/target.ts';
import type { Handle, OrtApi } from './api.ts';
import {
  type HeldType,
  type HostMemory,
  type HostValue,
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

/** There is one in a process, counted: with it comes the logger. */
export const openEnvironment = (api: OrtApi): Handle =>
  api.make('CreateEnv', logLevel, 'swa-align')[0];

interface Opened extends CApiParts {
  readonly environment: Handle;
  readonly host: HostMemory;
  /** Runs under way: nothing is released beneath them. */
  readonly running: Set<Promise<unknown>>;
}

/**
 * ONNX Runtime by its C API, in float32. A run writes the state into the memory of the one before. On the CPU inputs
 * are read and results written where they lie: nothing is copied or made anew from step to step.
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
    upload: async (values) => new Map([...values].map(([name, t]) => [name, memory.upload(t)])),
    download: async (state, names = [...state.keys()]) =>
      new Map(names.map((name) => [name, memory.read(held(state, name))])),
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

function held(state: DeviceState, name: string): OrtValue {
  const value = state.get(name) as OrtValue | undefined;
  if (value === undefined) throw new GraphError(`there is no state called ${name}`);
  if (value.gone) throw new GraphError(`state ${name} was replaced by a run, or freed`);
  return value;
}

const typeOf = (dtype: 'float' | 'int'): HeldType => (dtype === 'int' ? 'int64' : 'float32');

async function compile(
  program: Program,
  fetches: readonly string[],
  { api, provider, memory, target, threads, environment, host, running }: Opened,
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

  let disposed = false;

  async function once(state: DeviceState, inputs: TensorMap): Promise<Map<string, Tensor>> {
    if (disposed) throw new GraphError(`the ${program.name} was disposed of`);
    checkInputs(program, inputs);
    const read = lowered.stateIn.map((name) => {
      stateValue(program, state, program.state.get(name)!.current);
      return [name, held(state, name)] as const;
    });
    const lent: HostValue[] = [];
    const lend = (t: Tensor): OrtValue => {
      const value = host.lend(t);
      lent.push(value);
      return value;
    };
    const next = new Map<string, OrtValue>();
    try {
      const fed = lowered.inputs.map((name) => [name, lend(inputs.get(name)!)] as const);
      const room = fetchRoom(program, lowered.fetched.keys());
      const written = new Map(
        [...lowered.fetched].map(([name, output]) => [output, lend(room.get(name)!)]),
      );
      for (const [name, output] of lowered.nextState) {
        const { dtype, shape } = nextOf(name);
        next.set(name, spares.take(typeOf(dtype), shape));
        written.set(output, next.get(name)!);
      }
      await session.run(new Map([...read, ...fed]), written);
      for (const [name, value] of next) {
        const replaced = state.get(name) as OrtValue | undefined;
        if (replaced !== undefined && !replaced.gone) {
          spares.give({ ...replaced });
          replaced.gone = true;
        }
        state.set(name, value);
      }
      keepForFetches(inputs);
      return room;
    } catch (error) {
      for (const value of next.values()) spares.give(value);
      throw error;
    } finally {
      for (const value of lent) host.release(value);
    }
  }

  return {
    run(state, inputs) {
      const run = once(state, inputs).finally(() => running.delete(run));
      running.add(run);
      return run;
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await Promise.allSettled(running);
      spares.empty();
      session.release();
    },
  };
}
