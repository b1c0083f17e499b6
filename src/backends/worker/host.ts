import { GraphError } from '../../errors.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Backend, DeviceState, DeviceTensor, Executable } from '../backend.ts';
import { rebuild } from './crossing/flatProgram.ts';
import type { CallName, Calls, Held, HeldShape } from './crossing/messages.ts';

/** An answer, and the tensors in it whose memory may be given away. */
interface Served<Answer> {
  readonly answer: Answer;
  readonly tensors?: TensorMap;
}

/** One function a call. */
export type Host = {
  readonly [K in CallName]: (ask: Calls[K]['ask']) => Promise<Served<Calls[K]['answer']>>;
};

/**
 * The far side of a backend in a thread of its own: carries out calls on `opening` and keeps device
 * tensors and executables under the numbers that the near side knows them by. `shares`: memory can be seen from both
 * sides.
 */
export function hostOf(opening: Promise<Backend>, shares: boolean): Host {
  const tensors = new Map<number, DeviceTensor>();
  const executables = new Map<number, Executable>();
  let lastId = 0;

  const keep = (name: string, value: DeviceTensor): HeldShape => {
    tensors.set(++lastId, value);
    return { name, id: lastId, shape: value.shape };
  };
  const stateOf = (held: readonly Held[]): DeviceState =>
    new Map(
      held.map(({ name, id }) => {
        const value = tensors.get(id);
        // Only when two calls on one state were under way at once: the near side knows all others.
        if (value === undefined) throw new GraphError(`state ${name} was replaced or freed`);
        return [name, value];
      }),
    );

  /** Carries out a run on the state that `held` names; what it put in place of what. */
  const advance = async <Results>(
    held: readonly Held[],
    run: (state: DeviceState) => Promise<Results>,
  ) => {
    const before = stateOf(held);
    const state = new Map(before);
    const results = await run(state);
    const changed = [...state].filter(([name, value]) => value !== before.get(name));
    for (const { name, id } of held) if (state.get(name) !== before.get(name)) tensors.delete(id);
    return { results, replaced: changed.map(([name, value]) => keep(name, value)) };
  };

  return {
    async describe() {
      const { name, device, precision, description, room } = await opening;
      const rooms = shares && room !== undefined;
      return { answer: { name, device, precision, description, rooms } };
    },
    async compile({ program, fetches }) {
      const executable = await (await opening).compile(rebuild(program), fetches);
      executables.set(++lastId, executable);
      return { answer: { executable: lastId, starts: executable.start !== undefined } };
    },
    async run({ executable, state: held, inputs, into }) {
      const { results, replaced } = await advance(held, (state) =>
        executables.get(executable)!.run(state, inputs, into),
      );
      return { answer: { fetched: results, replaced }, tensors: results };
    },
    async start({ executable, state: held, inputs }) {
      const { results, replaced } = await advance(held, (state) =>
        executables.get(executable)!.start!(state, inputs),
      );
      const fetched = [...results].map(([name, value]) => keep(name, value));
      return { answer: { fetched, replaced } };
    },
    async dispose(id) {
      const executable = executables.get(id);
      executables.delete(id);
      await executable?.dispose();
      return { answer: undefined };
    },
    async upload(values) {
      const state = await (await opening).upload(values);
      return { answer: [...state].map(([name, value]) => keep(name, value)) };
    },
    async download(held) {
      const values = await (await opening).download(stateOf(held));
      return { answer: values, tensors: values };
    },
    async room(length) {
      return { answer: await (await opening).room?.(length) };
    },
    async free(held) {
      const state = stateOf(held);
      for (const { id } of held) tensors.delete(id);
      await (await opening).free(state);
      return { answer: undefined };
    },
  };
}
