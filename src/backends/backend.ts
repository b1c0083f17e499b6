import type { Program } from '../program/program.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';

/** A tensor that lives where the backend computes. Only its own backend looks inside. */
export interface DeviceTensor {
  readonly shape: Shape;
}

/**
 * What a run reads and replaces, by name. A device tensor belongs to one state: a run frees what it
 * replaces, and a copy of the map made before that run must not be used for those names any more.
 */
export type DeviceState = Map<string, DeviceTensor>;

export interface Executable {
  /**
   * Runs the program once: reads `state` and `inputs`, replaces the state values that change, and gives
   * back what was chosen to be fetched, as copies that nobody else holds. Floats go in as float32 or
   * float64 tensors of the declared shape. What is fetched under a name of `into`, float32 in memory of the
   * backend's `room` that no input lies in, is written there: where the run fails, perhaps in part. Until a run
   * ends, nothing else may write to a room that it reads, or look at what it writes there.
   * A run that fails leaves the state as it was; until a run ends, nothing else may use its state.
   */
  run(
    state: DeviceState,
    inputs: TensorMap,
    into?: TensorMap,
  ): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * As `run`, but what was fetched stays where it was computed, to be seen by `download` and let go by
   * `free`, and nobody waits for the device. Only where reading back costs time; an error may come out in a
   * later call.
   */
  start?(state: DeviceState, inputs: TensorMap): Promise<DeviceState>;
  dispose(): Promise<void>;
}

/** Whatever can run programs. */
export interface Backend {
  readonly name: string;
  readonly device: string;
  /** How it holds `float`. */
  readonly precision: 'float32' | 'float64';
  /** What runs it, for logs and reports: library, version, device. */
  readonly description: string;
  /** Prepares a program, computing only `fetches` and the state's changes. */
  compile(program: Program, fetches: readonly string[]): Promise<Executable>;
  upload(values: TensorMap): Promise<DeviceState>;
  /** Copies of the named values (all, when no names are given) on the host, which nobody else holds. */
  download(state: DeviceState, names?: readonly string[]): Promise<Map<string, Tensor>>;
  /**
   * Memory of so many floats that this side and programs both work in: what programs write there by `into`, and read
   * from there as inputs, is not copied. It lasts as long as the backend. Only where there is such memory; undefined
   * where it is used up.
   */
  room?(length: number): Promise<Float32Array | undefined>;
  /** Releases device memory; the state is empty afterwards. */
  free(state: DeviceState): Promise<void>;
  /**
   * Ends what runs beside this thread, if anything does; the backend is of no use afterwards. A process may
   * end without it.
   */
  close?(): Promise<void>;
}

/** A backend and its device as checkpoints and messages name them; other devices round otherwise. */
export const backendLabel = ({ name, device }: Pick<Backend, 'name' | 'device'>): string =>
  device === 'cpu' ? name : `${name} on ${device}`;
