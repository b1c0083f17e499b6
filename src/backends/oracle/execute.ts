import { topologicalOrder } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import { formatShape } from '../../tensor/shape.ts';
import type { ComputedOp, Kernel } from './kernel.ts';
import { kernels } from './kernels.ts';
import { checkType, type Value } from './value.ts';

/** What a graph computes, in order, and what may be forgotten after each step. */
export interface Plan {
  readonly steps: readonly { readonly node: Node; readonly lastUses: readonly Node[] }[];
  readonly roots: ReadonlySet<Node>;
}

/** Execution order of everything the roots need. Roots are kept to the end. */
export function planOf(roots: ReadonlySet<Node>): Plan {
  const order = topologicalOrder(roots);
  const lastUser = new Map<Node, Node>();
  for (const node of order) for (const operand of node.inputs) lastUser.set(operand, node);
  const lastUses = (node: Node): Node[] =>
    [...new Set(node.inputs)].filter((x) => lastUser.get(x) === node && !roots.has(x));
  return { steps: order.map((node) => ({ node, lastUses: lastUses(node) })), roots };
}

/** One op. Throws GraphError when the result is not what the shape rules inferred. */
export function evaluate(node: Node<ComputedOp>, operands: readonly Value[]): Value {
  const kernel = kernels[node.op] as Kernel<ComputedOp>;
  const value = kernel(node.params as Parameters<typeof kernel>[0], operands);
  checkType(`the oracle's ${node.op}(${operands.map((x) => formatShape(x.shape))})`, value, node);
  return value;
}

/** The roots' values, given the inputs'. */
export function execute(
  { steps, roots }: Plan,
  given: (input: Node<'input'>) => Value,
): ReadonlyMap<Node, Value> {
  const values = new Map<Node, Value>();
  for (const { node, lastUses } of steps) {
    const operands = node.inputs.map((x) => values.get(x)!);
    values.set(node, node.op === 'input' ? given(node) : evaluate(node, operands));
    for (const operand of lastUses) values.delete(operand);
  }
  return new Map([...roots].map((root) => [root, values.get(root)!]));
}
