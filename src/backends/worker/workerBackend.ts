import { GraphError } from '../../errors.ts';
import type { Program } from '../../program/program.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Backend, DeviceState, DeviceTensor, Executable } from '../backend.ts';
import type { BackendOptions, Home } from '../registry.ts';
import { flatten } from './crossing/flatProgram.ts';
import type { Calls, Held, HeldShape } from './crossing/messages.ts';
import { buffersOf, toSend } from './crossing/tensorCrossing.ts';
import type { FarSide } from './farSide.ts';
import { type BackendThread, talkTo } from './nearSide.ts';
import { startThread } from './thread/startThread.ts';

/**
 * Backend `name` in a thread of its own, so that this one stays free while a program runs: the same
 * numbers, errors and rules, and device tensors that are only names for what lies over there. It does not
 * keep the process alive while it has nothing to do.
 *
 * Calls are carried out in the order they are made. They reject with DeviceError once the thread is dead.
 * Throws what opening the backend throws.
 */
export const workerBackend = (name: string, options: BackendOptions = {}): Promise<Backend> =>
  backendIn(startThread(name, options), name);

/** The backend that a started thread or process holds. */
export async function backendIn(
  far: FarSide,
  name: string,
  home: Home = 'thread',
): Promise<Backend> {
  const thread = talkTo(far, name, home);
  const tensors = handles();
  const { rooms, ...described } = await thread.call('describe', undefined).catch(async (error) => {
    await far.terminate();
    throw error;
  });
  return {
    ...described,
    async compile(program, fetches) {
      const made = await thread.call('compile', { program: flatten(program), fetches });
      return executableIn(thread, tensors, program, made);
    },
    async upload(values) {
      const sent = toSend(values);
      return new Map((await thread.call('upload', sent, buffersOf(sent))).map(tensors.hold));
    },
    async download(state, names = [...state.keys()]) {
      return thread.call('download', tensors.held(state, names));
    },
    ...(rooms && { room: (length) => thread.call('room', length) }),
    async free(state) {
      const held = tensors.release(state);
      state.clear();
      if (!thread.ended) await thread.call('free', held);
    },
    close: () => thread.close(),
  };
}

function executableIn(
  thread: BackendThread,
  tensors: Handles,
  program: Program,
  { executable, starts }: Calls['compile']['answer'],
): Executable {
  /** Asks for a run, and puts what it replaced into `state`. */
  async function advance<K extends 'run' | 'start'>(
    how: K,
    state: DeviceState,
    inputs: TensorMap,
    into?: TensorMap,
  ): Promise<Calls[K]['answer']> {
    const slots = [...program.state.keys()].filter((name) => state.has(name));
    const read: DeviceState = new Map(slots.map((name) => [name, state.get(name)!]));
    const sent = toSend(inputs);
    const answer = await thread.call(
      how,
      { executable, state: tensors.held(read, slots), inputs: sent, ...(into && { into }) },
      buffersOf(sent),
    );
    for (const next of answer.replaced) {
      tensors.release(new Map([[next.name, read.get(next.name)!]]));
      state.set(...tensors.hold(next));
    }
    return answer;
  }
  return {
    run: async (state, inputs, into) => (await advance('run', state, inputs, into)).fetched,
    ...(starts && {
      start: async (state, inputs) =>
        new Map((await advance('start', state, inputs)).fetched.map(tensors.hold)),
    }),
    async dispose() {
      if (!thread.ended) await thread.call('dispose', executable);
    },
  };
}

type Handles = ReturnType<typeof handles>;

/** Which number stands behind a device tensor; none once it is replaced or freed. */
function handles() {
  const ids = new WeakMap<DeviceTensor, number>();
  return {
    hold({ name, id, shape }: HeldShape): [string, DeviceTensor] {
      const value: DeviceTensor = { shape };
      ids.set(value, id);
      return [name, value];
    },
    /** Throws GraphError for a name without a value, and for a value that is no longer, or never was, here. */
    held: (state: DeviceState, names: readonly string[]): Held[] =>
      names.map((name) => {
        const value = state.get(name);
        if (value === undefined) throw new GraphError(`there is no state called ${name}`);
        const id = ids.get(value);
        if (id !== undefined) return { name, id };
        throw new GraphError(`state ${name} was replaced by a run, freed, or is another backend's`);
      }),
    /** Lets go of what is still held. */
    release: (state: DeviceState): Held[] =>
      [...state].flatMap(([name, value]) => {
        const id = ids.get(value);
        return id !== undefined && ids.delete(value) ? [{ name, id }] : [];
      }),
  };
}
