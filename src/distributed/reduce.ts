import type { Communicator } from './communicator.ts';
import { glooChunks } from './gloo.ts';

/** How a sum over ranks is made: in the order of PyTorch's gloo, or in that of the library, which moves fewer bytes. */
export const reductions = ['exact', 'fast'] as const;
export type Reduction = (typeof reductions)[number];

const { fround } = Math;

/** Σ of one element over ranks, each sum rounded to float32. */
export function addUp(
  all: readonly Float32Array[],
  order: readonly number[],
  into: Float32Array,
): void {
  into.set(all[order[0]]);
  for (const rank of order.slice(1)) {
    const more = all[rank];
    for (let i = 0; i < into.length; i++) into[i] += more[i];
  }
}

const sums: {
  readonly [R in Reduction]: (comm: Communicator, own: Float32Array) => Promise<Float32Array>;
} = {
  fast: (comm, own) => comm.allreduce(own),
  async exact(comm, own) {
    const sum = new Float32Array(own.length);
    for (const { from, to, order } of glooChunks(own.length, comm.size)) {
      addUp(await comm.allgather(own.subarray(from, to)), order, sum.subarray(from, to));
    }
    return sum;
  },
};

/**
 * The mean over ranks as PyTorch's DistributedDataParallel takes it of a bucket of gradients: each number is made
 * 1/size of itself, rounded to float32, and then they are added. The same bits on every rank.
 */
export function meanOverRanks(
  comm: Communicator,
  bucket: Float32Array,
  reduction: Reduction,
): Promise<Float32Array> {
  const share = fround(1 / comm.size);
  const own = new Float32Array(bucket.length);
  // Four times as fast as a call for each of millions.
  for (let i = 0; i < own.length; i++) own[i] = bucket[i] * share;
  return sums[reduction](comm, own);
}
