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

/** Writes the sum over ranks of what each brings in `own`, which may change, to `sum`, other memory. */
const sums: {
  readonly [R in Reduction]: (
    comm: Communicator,
    own: Float32Array,
    sum: Float32Array,
  ) => Promise<void>;
} = {
  fast: (comm, own, sum) => comm.allreduce(own, sum),
  async exact(comm, own, sum) {
    for (const { from, to, order } of glooChunks(own.length, comm.size)) {
      const all = await comm.allgather(own.subarray(from, to));
      addUp(all, order, sum.subarray(from, to));
    }
  },
};

/** Each number times a float32. Four in a turn of the loop take half the time of one in a turn. */
function scale(data: Float32Array, by: number, into: Float32Array): void {
  const fours = data.length - (data.length % 4);
  for (let i = 0; i < fours; i += 4) {
    into[i] = fround(data[i] * by);
    into[i + 1] = fround(data[i + 1] * by);
    into[i + 2] = fround(data[i + 2] * by);
    into[i + 3] = fround(data[i + 3] * by);
  }
  for (let i = fours; i < data.length; i++) into[i] = fround(data[i] * by);
}

/**
 * How many numbers are added up at once: a piece stays in the cache between the copies that a library makes of it
 * (docs/distributed.md has the times). The order of `exact` is that of a whole bucket.
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
  const most = Math.min(pieces[reduction], bucket.length);
  const own = new Float32Array(most);
  for (let from = 0; from < bucket.length; from += most) {
    const piece = bucket.subarray(from, Math.min(bucket.length, from + most));
    const scaled = own.subarray(0, piece.length);
    scale(piece, share, scaled);
    await sums[reduction](comm, scaled, piece);
  }
  return bucket;
}
