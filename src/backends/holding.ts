import type { Program } from '../program/program.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import type { Backend, DeviceState } from './backend.ts';

/** What is held on devices for a while, to be released all at once. */
export interface Holder {
  /** The same backend: what is compiled and uploaded by it is held here. */
  on(backend: Backend): Backend;
  /** Releases everything, the last first: also what is left when a release fails. Throws the failure. */
  release(): Promise<void>;
}

/** Holds nothing yet. For who must hold beyond one function; `releasing` is for everybody else. */
export function openHolder(): Holder {
  const releases: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    const last = releases.pop();
    if (last === undefined) return;
    try {
      await last();
    } finally {
      await release();
    }
  };
  const on = (backend: Backend): Backend => ({
    ...backend,
    async compile(program, fetches) {
      const executable = await backend.compile(program, fetches);
      releases.push(() => executable.dispose());
      return executable;
    },
    async upload(values) {
      const state = await backend.upload(values);
      releases.push(() => backend.free(state));
      return state;
    },
  });
  return { on, release };
}

/** Releases what `use` holds on the backends given to `on`, when it is done, whatever came of it. */
export async function releasing<T>(use: (on: Holder['on']) => Promise<T>): Promise<T> {
  const { on, release } = openHolder();
  try {
    return await use(on);
  } finally {
    await release();
  }
}

/** A compiled program with a state of its own on the device. */
export interface Held {
  /** See `Executable.run`. */
  run(inputs: TensorMap): Promise<ReadonlyMap<string, Tensor>>;
  readonly state: DeviceState;
}

/** Compiles a program, uploads `values` as its state, and releases both when `use` is done. */
export const holding = <T>(
  backend: Backend,
  program: Program,
  fetches: readonly string[],
  values: TensorMap,
  use: (held: Held) => Promise<T>,
): Promise<T> =>
  releasing(async (on) => {
    const executable = await on(backend).compile(program, fetches);
    const state = await on(backend).upload(values);
    return use({ state, run: (inputs) => executable.run(state, inputs) });
  });
