/**
 * In which order PyTorch's gloo adds up: its ring allreduce gives every rank a run of the bytes (a chunk), which goes
 * round once before it is whole. Source: gloo/allreduce.cc (ring), held against it to the bit by the tests.
 */

const mostSegmentBytes = 1 << 20;

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** A run of elements, and the ranks in the order in which their numbers are added. */
export interface GlooChunk {
  readonly from: number;
  readonly to: number;
  readonly order: readonly number[];
}

/** The chunks of a float32 buffer of `count` elements among `ranks` ranks; those without elements are left out. */
export function glooChunks(count: number, ranks: number): GlooChunk[] {
  const bytes = 4 * count;
  const least = Math.max(Math.ceil(bytes / mostSegmentBytes), 2 * ranks);
  const segments = roundUp(least, ranks);
  const segment = roundUp(Math.ceil(bytes / segments), 4) / 4;
  const chunk = segment * (segments / ranks);
  return Array.from({ length: ranks }, (_, c) => ({
    from: Math.min(count, c * chunk),
    to: Math.min(count, (c + 1) * chunk),
    order: Array.from({ length: ranks }, (_, i) => (c + 2 * ranks - 1 - i) % ranks),
  })).filter(({ from, to }) => from < to);
}
