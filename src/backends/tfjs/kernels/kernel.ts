import type { Op, OpParams } from '../../../ir/op.ts';
import type { Tf, Value } from '../value.ts';

/** Everything but inputs, whose values are given. */
export type ComputedOp = Exclude<Op, 'input'>;

/**
 * One op in TensorFlow.js's own operations, recorded by its autodiff when that watches. What it allocates
 * belongs to the `tf.tidy` around it.
 */
export type Kernel<K extends ComputedOp> = (
  tf: Tf,
  params: OpParams[K],
  operands: readonly Value[],
) => Value;

export type KernelTable<Ops extends ComputedOp = ComputedOp> = {
  readonly [K in Ops]: Kernel<K>;
};
