import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type DataOf, type DType, type Tensor, tensor } from '../../tensor/tensor.ts';
import type { Reference } from './reference.ts';

/** What the iterations of stage backward are fed, as the reference holds it. */
export interface RecordedSteps {
  /** [n, 3, 32, 32], the same in every iteration. */
  readonly images: Tensor<'float32'>;
  /** [n] */
  readonly labels: Tensor<'int64'>;
  /** One [iterations, n, width] a dropout layer. */
  readonly masks: readonly Tensor<'uint8'>[];
}

/** Part `k` of a tensor along its first axis. */
function part<D extends DType>({ dtype, shape, data }: Tensor<D>, k: number): Tensor<D> {
  const inner = shape.slice(1);
  const size = sizeOf(inner);
  return tensor(dtype, inner, data.subarray(k * size, (k + 1) * size) as DataOf[D]);
}

/** What iteration `k` is fed. */
export function stepAt({ images, labels, masks }: RecordedSteps, k: number) {
  return { images, labels, masks: masks.map((mask) => part(mask, k).data) };
}

/** Throws InputError where the reference's dropout is neither off nor the model's own. */
export function checkDropout({ model, manifest, dir }: Reference, rate: number): void {
  const other = rate > 0 && model.dropouts.find(({ p }) => p !== rate);
  if (!other) return;
  throw new InputError(`dropout is ${rate}, that of ${manifest.model} ${other.p}`, {
    where: join(dir, 'manifest.json'),
    fix: 'record with the rate of our model, or with none',
  });
}
