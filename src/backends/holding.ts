import type { Program } from '../program/program.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import type { Backend, DeviceState } from './backend.ts';

/** A compiled program with a state of its own on the device. */
export interface Held {
  /** See `Executable.run`. */
  run(inputs: TensorMap): Promise<ReadonlyMap<string, Tensor>>;
  readonly state: DeviceState;
}

/**
 * Compiles a program, uploads `values` as its state, and releases both when `use` is done, whatever came of it.
 */
export async function holding<T>(
  backend: Backend,
  program: Program,
  fetches: readonly string[],
  values: TensorMap,
  use: (held: Held) => Promise<T>,
): Promise<T> {
  const executable = await backend.compile(program, fetches);
  try {
    const state = await backend.upload(values);
    try {
      return await use({ state, run: (inputs) => executable.run(state, inputs) });
    } finally {
      await backend.free(state);
    }
  } finally {
    await executable.dispose();
  }
}
