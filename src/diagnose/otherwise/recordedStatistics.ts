import { samplePositions } from '../../align/reference/samplePositions.ts';

import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { batchesFrom, byImages, statisticVariants } from './statistics.ts';
import type { Variant } from './variant.ts';

/** Where a reference holds a running statistic after each batch, and what it is made of. */
export interface Steps {
  /** `running_var` of `features.1.running_var`, by its name in the file, after each batch in turn. */
  readonly names: readonly string[];
  readonly images: readonly number[];
  readonly momentum?: number;
}

/** What a file holds under a name in float64: whole, or a sample. */
export const heldIn = (arrays: TensorMap, name: string): Float64Array | undefined => {
  const found = arrays.get(`f64/${name}`) ?? arrays.get(`f64/${name}#sample`);
  return found && toFloat64(found);
};

/** Elements of ours that a reference holds. */
export function heldOf(ours: Tensor, count: number): Float64Array {
  const whole = toFloat64(ours);
  if (whole.length === count) return whole;
  return Float64Array.from(samplePositions(whole.length, count), (i) => whole[i]);
}

/** How a running statistic may have come to differ; none where the reference does not hold each batch's. */
export function* recordedStatistics(
  arrays: TensorMap,
  { names, images, momentum }: Steps,
  ours: Tensor,
): Generator<Variant> {
  const after = names.flatMap((name) => heldIn(arrays, name) ?? []);
  const [, statistic] = /\.(running_mean|running_var)$/.exec(names[0]) ?? [];
  if (after.length !== names.length) return;
  if (statistic !== 'running_mean' && statistic !== 'running_var') return;
  const start = statistic === 'running_mean' ? 0 : 1;
  const share = momentum === undefined ? byImages(images) : () => momentum;
  const batches = batchesFrom(after, start, share);
  const of = {
    statistic,
    start,
    batches,
    images,
    ...(momentum !== undefined && { momentum }),
  } as const;
  yield* statisticVariants(of, heldOf(ours, after[0].length));
}
