import type { Backend, DeviceState } from '../backends/backend.ts';
import {
  type StreamPosition,
  streamPosition,
  type TrainingStream,
} from '../data/trainingStream.ts';
import type { TensorMap } from '../tensor/tensor.ts';

/** A run between two steps, in memory: what it takes to make the steps that follow once more. */
export interface Snapshot {
  readonly values: TensorMap;
  readonly position: StreamPosition;
  /** `performance.now()` when it was taken. */
  readonly taken: number;
}

/**
 * How long a snapshot serves. A step replaces the state that it reads, so a step that went wrong cannot be
 * looked at: it is reached again from the last snapshot, in no more time than this. Taking one costs a
 * tenth of a second with the largest model, wherever its state lies.
 */
const servesMs = 30_000;

/** The snapshot that is to be kept before the next step: the one there is, or a new one. */
export async function currentSnapshot(
  last: Snapshot | undefined,
  backend: Backend,
  state: DeviceState,
  stream: TrainingStream,
): Promise<Snapshot> {
  const now = performance.now();
  if (last !== undefined && now - last.taken < servesMs) return last;
  return { values: await backend.download(state), position: streamPosition(stream), taken: now };
}
