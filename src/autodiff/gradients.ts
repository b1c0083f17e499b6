import { GraphError, inLayer } from '../errors.ts';
import { add, constant, reduceSum, reshape } from '../ir/build.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { Op } from '../ir/op.ts';
import { formatShape, type Shape, sameShape } from '../tensor/shape.ts';
import { adjoints } from './adjoints.ts';
import { type AdjointRule, neverAsked, noGradient } from './rule.ts';

/** Undoes a broadcast: sums `x` over the axes along which `shape` was stretched. */
function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const offset = x.shape.length - shape.length;
  const axes = x.shape.flatMap((d, i) =>
    i < offset || (shape[i - offset] === 1 && d !== 1) ? [i] : [],
  );
  return reshape(reduceSum(x, axes), shape);
}

/** What `y` adds to the gradients of its operands. */
function contributionsOf(y: Node, dy: Node): readonly (Node | null)[] {
  const rule = adjoints[y.op];
  if (rule === noGradient) return y.inputs.map(() => null);
  if (rule === neverAsked) throw new GraphError(`${y.op} has no adjoint: it is one itself`);
  const contributions = (rule as AdjointRule<Op>)(y, dy);
  if (contributions.length !== y.inputs.length) {
    const given = `${contributions.length} contributions for ${y.inputs.length} operands`;
    throw new GraphError(`the adjoint of ${y.op} gives ${given}: null says that there is none`);
  }
  return contributions.map((contribution, i) => {
    const x = y.inputs[i];
    return contribution === null || x.dtype !== 'float' ? null : sumTo(contribution, x.shape);
  });
}

/**
 * Reverse-mode differentiation of a scalar: the gradient of `loss` with respect to every float value
 * it depends on, activations included. Gradients are nodes like any other; those nobody fetches are
 * never computed. A value used several times gets the sum, added in the order of the backward walk.
 *
 * `layerOf` names the layer that computes a value, for messages.
 *
 * Throws GraphError when `loss` is no scalar, an op on the way has no adjoint, or an adjoint forgets an operand.
 */
export function gradients(
  loss: Node,
  layerOf: (value: Node) => string | undefined = () => undefined,
): ReadonlyMap<Node, Node> {
  if (loss.shape.length !== 0 || loss.dtype !== 'float') {
    throw new GraphError(
      `a gradient needs a scalar loss, not ${loss.dtype}${formatShape(loss.shape)}`,
    );
  }
  const grads = new Map<Node, Node>([[loss, constant(1)]]);
  for (const y of topologicalOrder([loss]).reverse()) {
    const dy = grads.get(y);
    if (dy === undefined) continue;
    const terms = inLayer(
      () => layerOf(y),
      () => contributionsOf(y, dy),
    );
    y.inputs.forEach((x, i) => {
      const [term, sum] = [terms[i], grads.get(x)];
      if (term !== null) grads.set(x, sum === undefined ? term : add(sum, term));
    });
  }
  return grads;
}
