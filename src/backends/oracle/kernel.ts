import type { Op, OpParams } from '../../ir/op.ts';
import type { Value } from './value.ts';

/** Everything but inputs, whose values are given. */
export type ComputedOp = Exclude<Op, 'input'>;

/**
 * One op in float64. A kernel works out its result's shape by itself, so that the executable can hold
 * it against what the shape rules inferred. It never writes to its operands.
 */
export type Kernel<K extends ComputedOp> = (
  params: OpParams[K],
  operands: readonly Value[],
) => Value;

export type KernelTable<Ops extends ComputedOp = ComputedOp> = {
  readonly [K in Ops]: Kernel<K>;
};
