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
import { finishOf } from './passes/finish.ts';
import { partsOf } from './passes/tailOf.ts';
import type { WasmMemory } from './passes/wasmMemory.ts';
import type { Provider } from './providers.ts';
import { openSession, type Session } from './session.ts';
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
  /** Where updates are passes of our own, on tensors of `least` elements or more. They reach what `memory` makes. */
  readonly passes?: { readonly wasm: WasmMemory; readonly least: number };
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
  opened: Opened,
): Promise<Executable> {
  const { api, provider, memory, target, threads, environment, host, running, passes } = opened;
  const spares: Spares = sparesOf(memory);
  const parts = passes && partsOf(program, fetches, passes.least);
  // Passes come with memory that they reach.
  const [reached, reachedSpares] = [memory as Memory<HostValue>, spares as Spares<HostValue>];
  const finish = parts && finishOf(parts, passes!.wasm, reached, reachedSpares);
  const lowered = lowerProgram(parts?.head ?? program, parts?.fetches ?? fetches, target);
  // The library refuses a graph of nothing.
  const session =
    lowered.fetched.size + lowered.nextState.size === 0
      ? undefined
      : await openPlaced(program.name, lowered.model, { api, provider, threads, environment });
  const nextOf = (name: string) => program.state.get(name)!.next!;

  let disposed = false;
  let whole: Promise<Executable> | undefined;
  /** The program by the engine alone: for a state that passes do not reach. */
  const wholeProgram = (): Promise<Executable> => {
    const { passes: _, ...alone } = opened;
    whole ??= compile(program, fetches, alone);
    return whole;
  };

  async function once(state: DeviceState, inputs: TensorMap): Promise<ReadonlyMap<string, Tensor>> {
    if (disposed) throw new GraphError(`the ${program.name} was disposed of`);
    checkInputs(program, inputs);
    for (const name of new Set([...lowered.stateIn, ...(finish?.states ?? [])])) {
      stateValue(program, state, program.state.get(name)!.current);
      held(state, name);
    }
    const between = finish?.prepare(state);
    if (finish !== undefined && between === undefined) {
      return (await wholeProgram()).run(state, inputs);
    }
    const read = lowered.stateIn.map((name) => [name, held(state, name)] as const);
    const lent: HostValue[] = [];
    const lend = (t: Tensor): OrtValue => {
      const value = host.lend(t);
      lent.push(value);
      return value;
    };
    const next = new Map<string, OrtValue>();
    try {
      const fed = lowered.inputs.map((name) => [name, lend(inputs.get(name)!)] as const);
      const room = fetchRoom(program, new Set(fetches));
      const written = new Map<string, OrtValue>();
      for (const [name, output] of lowered.fetched) {
        written.set(output, between?.get(name) ?? lend(room.get(name)!));
      }
      for (const [name, output] of lowered.nextState) {
        const { dtype, shape } = nextOf(name);
        next.set(name, spares.take(typeOf(dtype), shape));
        written.set(output, next.get(name)!);
      }
      await session?.run(new Map([...read, ...fed]), written);
      finish?.run(state, inputs, between!, room);
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
      for (const value of between?.values() ?? []) spares.give(value);
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
      session?.release();
      // Where it was refused, its run has said so.
      await (await whole?.catch(() => undefined))?.dispose();
    },
  };
}

/** A session all of whose nodes are the provider's. Throws DeviceError that names the program. */
async function openPlaced(
  name: string,
  model: Uint8Array,
  {
    api,
    provider,
    threads,
    environment,
  }: Pick<Opened, 'api' | 'provider' | 'threads' | 'environment'>,
): Promise<Session> {
  const named = (cause: Error) =>
    new DeviceError(`ONNX Runtime refused the ${name}: ${cause.message}`);
  const session = await openSession(api, environment, model, { threads, provider }).catch(
    (cause) => {
      throw named(cause);
    },
  );
  const stray = session.placement.find((node) => node.provider !== provider.name);
  if (stray === undefined) return session;
  session.release();
  throw named(new Error(`${provider.name} has no ${stray.operator} for ${stray.node}`));
}
