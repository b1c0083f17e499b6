import { manualSeed } from './generator.ts';
import { randperm } from './integers.ts';

/** A `torch.utils.data.distributed.DistributedSampler` with `shuffle=True`, as one rank has it. */
export interface DistributedSampler {
  readonly rank: number;
  /** Of ranks. */
  readonly size: number;
  /** Its own `seed`, the same on every rank. */
  readonly seed: bigint;
}

/** How many samples each rank takes of `count`: all the same number, with some samples twice where need be. */
export const samplesOfRank = (count: number, { size }: Pick<DistributedSampler, 'size'>): number =>
  Math.ceil(count / size);

/**
 * The samples of one rank in an epoch that `set_epoch` was told of: a permutation of all, drawn from
 * seed + epoch; its beginning once more (or all of it several times), until every rank has as many; of these, every
 * `size`-th. Source: torch/utils/data/distributed.py.
 */
export function distributedOrder(
  count: number,
  { rank, size, seed }: DistributedSampler,
  epoch: number,
): Int32Array {
  const all = randperm(manualSeed(seed + BigInt(epoch)), count);
  return Int32Array.from(
    { length: samplesOfRank(count, { size }) },
    (_, i) => all[(rank + i * size) % count],
  );
}
