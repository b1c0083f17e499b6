import { topologicalOrder } from './graph.ts';
import { apply, type Node } from './node.ts';

/**
 * Builds the roots' graph again, from its leaves. `replace` sees every node with its new operands and
 * answers what stands in for it, or undefined to keep the op. What has not changed is shared with the old
 * graph. Gives the new node of each old one; `leaves` as in `topologicalOrder`.
 */
export function rewrite(
  roots: Iterable<Node>,
  replace: (node: Node, operands: readonly Node[]) => Node | undefined,
  leaves?: ReadonlySet<Node>,
): ReadonlyMap<Node, Node> {
  const renewed = new Map<Node, Node>();
  for (const node of topologicalOrder(roots, leaves)) {
    // A leaf keeps its operands, which the walk has not seen.
    const operands = node.inputs.map((x) => renewed.get(x) ?? x);
    const same = operands.every((x, i) => x === node.inputs[i]);
    renewed.set(
      node,
      replace(node, operands) ?? (same ? node : apply(node.op, node.params, ...operands)),
    );
  }
  return renewed;
}
