import { DeviceError, GraphError } from '../../../errors.ts';
import type { Program } from '../../../program/program.ts';
import type { Tensor, TensorMap } from '../../../tensor/tensor.ts';
import type { DeviceState, Executable } from '../../backend.ts';
import { checkInputs, checkInto, stateValue } from '../../feeds.ts';
import { fetchRoom } from '../fetchRoom.ts';
import { lowerProgram } from '../lowering/lowerProgram.ts';
import type { Target } from '../lowering/target.ts';
import type { Handle, OrtApi } from './api.ts';
import {
  type HeldType,
  type HostMemory,
  type HostValue,
  isQueued,
  type Memory,
  type OrtValue,
  type QueuedMemory,
} from './memory.ts';
import { finishOf } from './passes/finish.ts';
import { partsOf } from './passes/tailOf.ts';
import type { ReachedMemory } from './passes/wasmMemory.ts';
import type { Provider } from './providers.ts';
import { openSession, type Session } from './session.ts';
import { type Spares, sparesOf } from './spares.ts';

/** Where updates are passes of our own, on tensors of `least` elements or more: the memory that they reach. */
export interface Passes {
  readonly memory: ReachedMemory;
  readonly least: number;
}

/** What executables of a backend share. */
export interface Opened {
  readonly api: OrtApi;
  readonly provider: Provider;
  readonly memory: Memory;
  readonly target: Target;
  readonly threads: number | undefined;
  readonly passes?: Passes;
  readonly environment: Handle;
  readonly host: HostMemory;
  /** Runs under way: nothing is released beneath them. */
  readonly running: Set<Promise<unknown>>;
}

/** A value of a state. Throws GraphError where there is none, or none any more. */
export function held(state: DeviceState, name: string): OrtValue {
  const value = state.get(name) as OrtValue | undefined;
  if (value === undefined) throw new GraphError(`there is no state called ${name}`);
  if (value.gone) throw new GraphError(`state ${name} was replaced by a run, or freed`);
  return value;
}

const typeOf = (dtype: 'float' | 'int'): HeldType => (dtype === 'int' ? 'int64' : 'float32');

/** How a run is given its inputs, and where its results lie. */
interface Ends {
  readonly fed: (t: Tensor) => OrtValue;
  readonly result: (name: string) => OrtValue;
  /** Whether the engine is to have ended before the state counts as replaced. */
  readonly waits: boolean;
  /** What is left to do then. */
  readonly finish?: () => void;
}

export async function compile(
  program: Program,
  fetches: readonly string[],
  opened: Opened,
): Promise<Executable> {
  const { memory, target, host, running, passes } = opened;
  const spares: Spares = sparesOf(memory);
  const parts = passes && partsOf(program, fetches, passes.least);
  // Passes come with memory that they reach.
  const finish = parts && finishOf(parts, passes!, spares as Spares<HostValue>);
  const lowered = lowerProgram(parts?.head ?? program, parts?.fetches ?? fetches, target);
  // The library refuses a graph of nothing.
  const session =
    lowered.fetched.size + lowered.nextState.size === 0
      ? undefined
      : await openPlaced(program.name, lowered.model, opened);
  const nextOf = (name: string) => program.state.get(name)!.next!;

  let disposed = false;
  let whole: Promise<Executable> | undefined;
  /** The program by the engine alone: for a state that passes do not reach. */
  const wholeProgram = (): Promise<Executable> => {
    const { passes: _, ...alone } = opened;
    whole ??= compile(program, fetches, alone);
    return whole;
  };

  function check(state: DeviceState, inputs: TensorMap, into: TensorMap = new Map()): void {
    if (disposed) throw new GraphError(`the ${program.name} was disposed of`);
    checkInputs(program, inputs);
    checkInto(program, into, inputs);
    for (const name of new Set([...lowered.stateIn, ...(finish?.states ?? [])])) {
      stateValue(program, state, program.state.get(name)!.current);
      held(state, name);
    }
  }

  /** Runs once, and puts what it has written into the state. */
  async function step(state: DeviceState, inputs: TensorMap, ends: Ends): Promise<void> {
    const read = lowered.stateIn.map((name) => [name, held(state, name)] as const);
    const next = new Map<string, OrtValue>();
    try {
      const fed = lowered.inputs.map((name) => [name, ends.fed(inputs.get(name)!)] as const);
      const written = new Map<string, OrtValue>();
      for (const [name, output] of lowered.fetched) written.set(output, ends.result(name));
      for (const [name, output] of lowered.nextState) {
        const { dtype, shape } = nextOf(name);
        next.set(name, spares.take(typeOf(dtype), shape));
        written.set(output, next.get(name)!);
      }
      await session?.run(new Map([...read, ...fed]), written, { waits: ends.waits });
      ends.finish?.();
    } catch (error) {
      for (const value of next.values()) spares.give(value);
      throw error;
    }
    for (const [name, value] of next) {
      const replaced = state.get(name) as OrtValue | undefined;
      if (replaced !== undefined && !replaced.gone) {
        spares.give({ ...replaced });
        replaced.gone = true;
      }
      state.set(name, value);
    }
  }

  /** Inputs are read and results written where they lie on the host: nothing is copied. */
  async function onHost(
    state: DeviceState,
    inputs: TensorMap,
    into?: TensorMap,
  ): Promise<TensorMap> {
    check(state, inputs, into);
    const between = finish?.prepare(state, inputs);
    if (finish !== undefined && between === undefined) {
      return (await wholeProgram()).run(state, inputs, into);
    }
    const lent: HostValue[] = [];
    const lend = (t: Tensor): OrtValue => {
      const value = host.lend(t);
      lent.push(value);
      return value;
    };
    try {
      const room = fetchRoom(program, new Set(fetches), into);
      await step(state, inputs, {
        fed: lend,
        result: (name) => between?.get(name) ?? lend(room.get(name)!),
        waits: true,
        finish: () => finish?.run(state, inputs, between!, room),
      });
      return room;
    } finally {
      for (const value of lent) host.release(value);
      for (const value of between?.values() ?? []) spares.give(value);
    }
  }

  /** Inputs wait for their turn, and so does the run; its results stay on the device. */
  async function begin(
    queue: QueuedMemory,
    state: DeviceState,
    inputs: TensorMap,
    { waits }: Pick<Ends, 'waits'>,
  ): Promise<Map<string, OrtValue>> {
    check(state, inputs);
    const given: OrtValue[] = [];
    const results = new Map<string, OrtValue>();
    try {
      await step(state, inputs, {
        fed(t) {
          const value = spares.take(t.dtype === 'int64' ? 'int64' : 'float32', t.shape);
          given.push(value);
          queue.fill(value, t);
          return value;
        },
        result(name) {
          const { dtype, shape } = program.fetches.get(name)!;
          const value = memory.blank(typeOf(dtype), shape);
          results.set(name, value);
          return value;
        },
        waits,
      });
      return results;
    } catch (error) {
      for (const value of results.values()) memory.release(value);
      throw error;
    } finally {
      // In its queue the device has read them before anything that is begun from now on.
      for (const value of given) spares.give(value);
    }
  }

  async function onDevice(
    queue: QueuedMemory,
    state: DeviceState,
    inputs: TensorMap,
  ): Promise<TensorMap> {
    // Its errors come before the state is replaced, and the engine tidies up behind a run that it waited for.
    const results = await begin(queue, state, inputs, { waits: true });
    try {
      await queue.done();
      return new Map([...results].map(([name, value]) => [name, memory.read(value)]));
    } finally {
      for (const value of results.values()) memory.release(value);
    }
  }

  /** Nothing is released beneath it. */
  function underWay<T>(run: Promise<T>): Promise<T> {
    const counted = run.finally(() => running.delete(counted));
    running.add(counted);
    return counted;
  }
  const runs: Pick<Executable, 'run' | 'start'> = isQueued(memory)
    ? {
        run: (state, inputs) => underWay(onDevice(memory, state, inputs)),
        start: (state, inputs) => underWay(begin(memory, state, inputs, { waits: false })),
      }
    : { run: (state, inputs, into) => underWay(onHost(state, inputs, into)) };

  return {
    ...runs,
    async dispose() {
      if (disposed) return;
      disposed = true;
      await Promise.allSettled(running);
      try {
        if (isQueued(memory)) await memory.done();
      } finally {
        spares.empty();
        session?.release();
        // Where it was refused, its run has said so.
        await (await whole?.catch(() => undefined))?.dispose();
      }
    },
  };
}

/** A session all of whose nodes are the provider's. Throws DeviceError that names the program. */
async function openPlaced(
  name: string,
  model: Uint8Array,
  { api, provider, threads, environment }: Opened,
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
