import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { Op } from '../ir/op.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Program, programRoots } from './program.ts';

/** Products a convolution adds up, forward or back: each weight meets each place of its map once. */
const ofConvolution = (y: Node, [, ...weight]: readonly number[]): number =>
  sizeOf(y.shape) * sizeOf(weight);

const counts: { readonly [O in Op]?: (node: Node) => number } = {
  conv2d: (y) => ofConvolution(y, y.inputs[1].shape),
  conv2dInputGrad: ({ inputs: [dy, w] }) => ofConvolution(dy, w.shape),
  conv2dWeightGrad: ({ inputs: [, dy], shape }) => ofConvolution(dy, shape),
  matmul: (y) => {
    const { transposeA } = (y as Node<'matmul'>).params;
    return sizeOf(y.shape) * y.inputs[0].shape[transposeA ? 0 : 1];
  },
};

/** Products that one run of a program adds up in its convolutions and matrix products: what it costs without haste. */
export function productsOf(program: Program, fetches: readonly string[]): number {
  const { fetched, nextState } = programRoots(program, fetches);
  const order = topologicalOrder([...fetched.values(), ...nextState.values()]);
  return order.reduce((sum, node) => sum + (counts[node.op]?.(node) ?? 0), 0);
}
