/**
 * Where DistributedDataParallel cuts the gradients that it adds up together: which numbers share a bucket decides in
 * which order each of them is summed. Source: torch/csrc/distributed/c10d/reducer.cpp, held against it by the tests.
 */

const bytesOfFirst = 1 << 20;
const bytesOfOthers = 25 << 20;

/** A parameter's gradient, of so many float32 numbers. */
export interface Gradient {
  readonly name: string;
  readonly count: number;
}

/** What is added up together, in the order in which it lies there. */
export type Bucket = readonly Gradient[];

/**
 * The buckets of step number `step` of a run, from 0 on, for gradients in the order in which they are registered and
 * in that in which they arrive. In the first step one bucket holds all; from the second on a bucket takes what arrives
 * until it holds 1 MiB, each later one 25 MiB.
 */
export function bucketsOf(
  step: number,
  registered: readonly Gradient[],
  arriving: readonly Gradient[],
): Bucket[] {
  if (step === 0) return [registered];
  const buckets: Gradient[][] = [];
  let [open, bytes]: [Gradient[], number] = [[], 0];
  for (const gradient of arriving) {
    open.push(gradient);
    bytes += 4 * gradient.count;
    if (bytes < (buckets.length === 0 ? bytesOfFirst : bytesOfOthers)) continue;
    buckets.push(open);
    [open, bytes] = [[], 0];
  }
  return open.length > 0 ? [...buckets, open] : buckets;
}
