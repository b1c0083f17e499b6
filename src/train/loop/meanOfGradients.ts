import { type Bucket, bucketsOf } from '../../distributed/buckets.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { meanOverRanks, type Reduction } from '../../distributed/reduce.ts';
import type { Network } from '../../nn/module.ts';
import { gradientArrival } from '../../program/gradientArrival.ts';
import { gradientOf } from '../../program/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../tensor/tensor.ts';

/** What is added up together in each step: as DistributedDataParallel cuts it, or all at once where any order will do. */
export function bucketsFor(model: Network, reduction: Reduction): (step: number) => Bucket[] {
  const registered = model.state
    .filter(({ role }) => role === 'parameter')
    .map(({ name, shape }) => ({ name: gradientOf(name), count: sizeOf(shape) }));
  if (reduction === 'fast') return () => [registered];
  const byName = new Map(registered.map((gradient) => [gradient.name, gradient]));
  const arriving = gradientArrival(model).map((name) => byName.get(gradientOf(name))!);
  return (step) => bucketsOf(step, registered, arriving);
}

/**
 * The mean over ranks of each gradient, bucket by bucket. A bucket that lies in one piece in `own` is overwritten by
 * its mean.
 */
export async function meanOfGradients(
  comm: Communicator,
  own: TensorMap,
  buckets: readonly Bucket[],
  reduction: Reduction,
): Promise<Map<string, Tensor>> {
  const mean = new Map<string, Tensor>();
  for (const bucket of buckets) {
    const shapes = bucket.map(({ name }) => [name, own.get(name)!.shape] as const);
    const names = shapes.map(([name]) => name);
    const numbers = inOnePiece(own, names) ?? flat(own, names);
    const sum = await meanOverRanks(comm, numbers, reduction);
    for (const [name, value] of unflat(sum, shapes)) mean.set(name, value);
  }
  return mean;
}

/** Tensors that lie one behind the other in memory, as one; undefined where they do not. */
function inOnePiece(values: TensorMap, names: readonly string[]): Float32Array | undefined {
  const parts = names.map((name) => values.get(name)!.data);
  const [{ buffer, byteOffset }] = parts;
  let end = byteOffset;
  for (const part of parts) {
    if (!(part instanceof Float32Array) || part.buffer !== buffer || part.byteOffset !== end)
      return undefined;
    end += part.byteLength;
  }
  return new Float32Array(buffer, byteOffset, (end - byteOffset) / 4);
}

/** Tensors one behind the other, in new memory. */
export function flat(values: TensorMap, names: readonly string[]): Float32Array {
  const parts = names.map((name) => toFloat32(values.get(name)!));
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same taken apart: views of `all`. */
export function unflat(
  all: Float32Array,
  shapes: readonly (readonly [string, readonly number[]])[],
): Map<string, Tensor> {
  let at = 0;
  return new Map(
    shapes.map(([name, shape]) => {
      const size = sizeOf(shape);
      at += size;
      return [name, tensor('float32', shape, all.subarray(at - size, at))];
    }),
  );
}
