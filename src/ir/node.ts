import type { Shape } from '../tensor/shape.ts';
import type { DType, Op, OpParams } from './op.ts';
import { shapeRules, type ValueType } from './shapeRules.ts';

/**
 * One value of a graph: an op applied to other values. Nodes are immutable, shared freely and
 * compared by identity; a graph is whatever can be reached from the nodes one asks for.
 */
export type Node<K extends Op = Op> = {
  [P in K]: {
    readonly op: P;
    readonly params: OpParams[P];
    readonly inputs: readonly Node[];
    readonly shape: Shape;
    readonly dtype: DType;
  };
}[K];

/** Applies an op; its shape rule infers the result's type or throws GraphError. */
export function apply<K extends Op>(op: K, params: OpParams[K], ...inputs: readonly Node[]): Node {
  const { shape, dtype }: ValueType = shapeRules[op](params, inputs);
  return { op, params, inputs, shape, dtype } as Node;
}
