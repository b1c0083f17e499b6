import { reluGrad } from '../../../ir/build.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import { apply, type Node } from '../../../ir/node.ts';
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
  const uses = new Map<Node, number>();
  /** By a map and its window, which nodes share where they were built from one layer. */
  const pools = new Map<Node, Node[]>();
  for (const node of topologicalOrder(roots)) {
    for (const x of node.inputs) uses.set(x, (uses.get(x) ?? 0) + 1);
    if (node.op !== 'maxPool2d') continue;
    const [y] = node.inputs;
    pools.set(y, [...(pools.get(y) ?? []), node]);
  }
  const pooled = (y: Node, window: Node<'maxPool2dGrad'>['params']): Node =>
    pools.get(y)?.find(({ params }) => JSON.stringify(params) === JSON.stringify(window)) ??
    apply('maxPool2d', window, y);
  return rewrite(roots, (node, [spread, y]) => {
    if (node.op !== 'reluGrad') return undefined;
    const [between, map] = node.inputs;
    if (between.op !== 'maxPool2dGrad' || between.inputs[0] !== map) return undefined;
    if (uses.get(between) !== 1 || wanted.has(between)) return undefined;
    const masked = reluGrad(spread.inputs[1], pooled(y, between.params));
    return apply('maxPool2dGrad', between.params, y, masked);
  });
}
