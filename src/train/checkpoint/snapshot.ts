import type { Backend, DeviceState } from '../../backends/backend.ts';
import {
  type StreamPosition,
  streamPosition,
  type TrainingStream,
} from '../../data/trainingStream.ts';
import type { TensorMap } from '../../tensor/tensor.ts';

/** A run between two steps, in memory: what it takes to make the steps that follow once more. */
export interface Snapshot {
  readonly values: TensorMap;
  readonly position: StreamPosition;
  /** `performance.now()` when it was taken, and how many milliseconds that took. */
  readonly taken: number;
  readonly cost: number;
}

/**
 * How long a snapshot serves. A step replaces the state that it reads, so a step that went wrong cannot be
 * looked at: it is reached again from the last snapshot, in no more time than this. Taking one costs a
 * tenth of a second with the largest model on the CPU, more from a GPU in another process: one that is dear
 * serves longer, so that snapshots never cost more than a hundredth of the run.
 */
const servesMs = 30_000;
const servesTimesCost = 100;

/** The snapshot that is to be kept before the next step: the one there is, or a new one. */
export async function currentSnapshot(
  last: Snapshot | undefined,
  backend: Backend,
  state: DeviceState,
  stream: TrainingStream,
): Promise<Snapshot> {
  const now = performance.now();
  if (last !== undefined) {
    const serves = Math.max(servesMs, servesTimesCost * last.cost);
    if (now - last.taken < serves) return last;
  }
  const values = await backend.download(state);
  const cost = performance.now() - now;
  return { values, position: streamPosition(stream), taken: now, cost };
}
