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

/** Overwrites a rank's numbers by their sum over ranks. */
const sums: {
  readonly [R in Reduction]: (comm: Communicator, data: Float32Array) => Promise<void>;
} = {
  fast: (comm, data) => comm.allreduce(data),
  async exact(comm, data) {
    for (const { from, to, order } of glooChunks(data.length, comm.size)) {
      const part = data.subarray(from, to);
      addUp(await comm.allgather(part), order, part);
    }
  },
};

/** Each number times a float32. Four in a turn of the loop take half the time of one in a turn. */
function scale(data: Float32Array, by: number): void {
  const fours = data.length - (data.length % 4);
  for (let i = 0; i < fours; i += 4) {
    data[i] = fround(data[i] * by);
    data[i + 1] = fround(data[i + 1] * by);
    data[i + 2] = fround(data[i + 2] * by);
    data[i + 3] = fround(data[i + 3] * by);
  }
  for (let i = fours; i < data.length; i++) data[i] = fround(data[i] * by);
}

/**
 * How many numbers are added up at once: a piece stays in the cache between the copies that a library makes of it. The
 * mean of 61 MB on four ranks of two cores then takes 54 ms instead of 71 (MPICH; four times as many: docs/distributed.md).
 * The order of `exact` is that of a whole bucket.
 */
const pieces: { readonly [R in Reduction]: number } = { fast: 1 << 20, exact: Infinity };

/**
 * The mean over ranks as PyTorch's DistributedDataParallel takes it of a bucket of gradients, in its place: each number
 * is made 1/size of itself, rounded to float32, and then they are added. The same bits on every rank.
 */
export async function meanOverRanks(
  comm: Communicator,
  bucket: Float32Array,
  reduction: Reduction,
): Promise<Float32Array> {
  if (comm.size === 1) return bucket;
  const share = fround(1 / comm.size);
  const most = pieces[reduction];
  for (let from = 0; from < bucket.length; from += most) {
    const piece = bucket.subarray(from, Math.min(bucket.length, from + most));
    scale(piece, share);
    await sums[reduction](comm, piece);
  }
  return bucket;
}
