import type { Worker } from 'node:worker_threads';
import { GraphError } from '../../errors.ts';
import type { Program } from '../../program/program.ts';
import type { Backend, DeviceState, DeviceTensor, Executable } from '../backend.ts';
import type { BackendOptions } from '../choose.ts';
import { flatten } from './flatProgram.ts';
import type { Held, HeldShape } from './messages.ts';
import { startThread } from './startThread.ts';
import { buffersOf, copies } from './tensorCrossing.ts';
import { type BackendThread, talkTo } from './thread.ts';

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

/** The backend that a started thread holds. */
export async function backendIn(worker: Worker, name: string): Promise<Backend> {
  const thread = talkTo(worker, name);
  const tensors = handles();
  const described = await thread.call('describe', undefined).catch(async (error) => {
    await worker.terminate();
    throw error;
  });
  return {
    ...described,
    async compile(program, fetches) {
      const id = await thread.call('compile', { program: flatten(program), fetches });
      return executableIn(thread, tensors, program, id);
    },
    async upload(values) {
      const sent = copies(values);
      return new Map((await thread.call('upload', sent, buffersOf(sent))).map(tensors.hold));
    },
    async download(state, names = [...state.keys()]) {
      return thread.call('download', tensors.held(state, names));
    },
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
  executable: number,
): Executable {
  return {
    async run(state, inputs) {
      const slots = [...program.state.keys()].filter((name) => state.has(name));
      const read: DeviceState = new Map(slots.map((name) => [name, state.get(name)!]));
      const sent = copies(inputs);
      const { fetched, replaced } = await thread.call(
        'run',
        { executable, state: tensors.held(read, slots), inputs: sent },
        buffersOf(sent),
      );
      for (const next of replaced) {
        tensors.release(new Map([[next.name, read.get(next.name)!]]));
        state.set(...tensors.hold(next));
      }
      return fetched;
    },
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
