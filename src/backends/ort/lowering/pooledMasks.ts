import { maxPool2d, maxPool2dGrad, reluGrad } from '../../../ir/build.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import type { Node } from '../../../ir/node.ts';
import type { Window } from '../../../ir/op.ts';
import { rewrite } from '../../../ir/rewrite.ts';

/**
 * Where a pool follows a ReLU, the ReLU's gradient on the pool's few results instead of on all its places:
 *
 *     relu'(y) · unpool(dp)  =  unpool(relu'(p) · dp)        y = relu(x), p = maxpool(y)
 *
 * The two are equal to the bit: what a window hands back goes to its winner, whose value is p. Only where nobody wants
 * the gradient between the two. Gives what stands for each node of the roots' graph.
 */
export function masksOnPools(roots: readonly Node[]): ReadonlyMap<Node, Node> {
  const wanted = new Set(roots);
  const order = topologicalOrder(roots);
  const uses = new Map<Node, number>();
  for (const { inputs } of order) for (const x of inputs) uses.set(x, (uses.get(x) ?? 0) + 1);
  const pooled = (y: Node, window: Window): Node =>
    order.find(
      ({ op, params, inputs: [x] }) =>
        op === 'maxPool2d' && x === y && JSON.stringify(params) === JSON.stringify(window),
    ) ?? maxPool2d(y, window);
  return rewrite(roots, (node, [spread, y]) => {
    if (node.op !== 'reluGrad') return undefined;
    const [between, map] = node.inputs;
    if (between.op !== 'maxPool2dGrad' || between.inputs[0] !== map) return undefined;
    if (uses.get(between) !== 1 || wanted.has(between)) return undefined;
    const masked = reluGrad(spread.inputs[1], pooled(y, between.params));
    return maxPool2dGrad(y, masked, between.params);
  });
}
