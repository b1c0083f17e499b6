import { GraphError } from '../errors.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Node } from './node.ts';
import type { Op, OpParams } from './op.ts';
import { shapeRules, type ValueType } from './shapeRules.ts';

/**
 * Every node the roots need, each after its operands; `leaves` are taken as they are, without their
 * operands. The order follows the roots and their operands alone, so the same model always gives the same
 * order (and the same file, log and hash).
 */
export function topologicalOrder(
  roots: Iterable<Node>,
  leaves: ReadonlySet<Node> = new Set(),
): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  // An explicit stack: a 164-layer network with its adjoints is deeper than the call stack likes.
  const stack: { node: Node; next: number }[] = [];
  const push = (node: Node): void => {
    if (!done.has(node)) stack.push({ node, next: 0 });
  };
  for (const root of roots) {
    push(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (done.has(top.node)) {
        stack.pop();
      } else if (!leaves.has(top.node) && top.next < top.node.inputs.length) {
        push(top.node.inputs[top.next++]);
      } else {
        done.add(top.node);
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/**
 * Checks a graph again from its leaves: every recorded type is what the shape rules infer, and no two
 * inputs share a name. Throws GraphError. (Nodes are plain data: a rewrite can build a wrong one.)
 */
export function verify(roots: Iterable<Node>): void {
  const names = new Map<string, Node>();
  for (const node of topologicalOrder(roots)) {
    const rule = shapeRules[node.op] as (p: OpParams[Op], i: readonly Node[]) => ValueType;
    const inferred = rule(node.params, node.inputs);
    if (inferred.dtype !== node.dtype || !sameShape(inferred.shape, node.shape)) {
      throw new GraphError(
        `${node.op} says ${node.dtype}${formatShape(node.shape)}, its operands give ${inferred.dtype}${formatShape(inferred.shape)}`,
      );
    }
    if (node.op !== 'input') continue;
    const other = names.get(node.params.name);
    if (other !== undefined && other !== node) {
      throw new GraphError(`two different inputs are called ${node.params.name}`);
    }
    names.set(node.params.name, node);
  }
}
