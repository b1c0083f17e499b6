import type { Backend, DeviceState } from '../../backends/backend.ts';
import type { Module, Network } from '../../nn/module.ts';
import { batchNormRefresh } from '../../program/batchNormRefresh.ts';
import { scalars, type Tensor, type TensorMap, zeros } from '../../tensor/tensor.ts';
import { type ByBatchSize, byBatchSize } from '../byBatchSize.ts';
import { heed } from '../stopping.ts';

export const refreshPrograms = (backend: Backend, model: Network): ByBatchSize =>
  byBatchSize(backend, (batch) => batchNormRefresh(model, [batch, ...model.image]), []);

/** The statistics a refresh starts from: mean 0 and variance 1 for every buffer. */
export function freshStatistics(model: Module): TensorMap {
  const buffers = model.state.filter(({ role }) => role === 'buffer');
  return new Map(
    buffers.map(({ name, shape }): [string, Tensor] => {
      const value = zeros('float32', shape);
      if (name.endsWith('running_var')) value.data.fill(1);
      return [name, value];
    }),
  );
}

/**
 * Recomputes the running statistics in `state` from `batches` of images: the average of the batches'
 * statistics, each weighted by its size. Nothing random is drawn here: whoever makes the batches decides.
 * Throws the signal's reason when that aborts; the statistics are then those of some batches.
 */
export async function refreshBatchNorm(
  backend: Backend,
  model: Module,
  programs: ByBatchSize,
  state: DeviceState,
  batches: Iterable<Tensor<'float32'>>,
  signal?: AbortSignal,
): Promise<void> {
  const replaced: DeviceState = new Map();
  for (const [name, value] of await backend.upload(freshStatistics(model))) {
    const old = state.get(name);
    if (old !== undefined) replaced.set(name, old);
    state.set(name, value);
  }
  await backend.free(replaced);
  let seen = 0;
  for (const images of batches) {
    await heed(signal);
    const count = images.shape[0];
    seen += count;
    const take = count / seen;
    const executable = await programs.get(count);
    const shares = scalars({ keep: 1 - take, take });
    await executable.run(state, new Map([['images', images], ...shares]));
  }
}
