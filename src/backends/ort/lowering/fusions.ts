import type { Node } from '../../../ir/node.ts';

/** A convolution or product and the bias that is added to nothing but it. */
export interface Biased {
  readonly linear: Node;
  /** [channels] */
  readonly bias: Node;
}

/** The [C] vector behind a [1, C, 1, 1] view, if `node` is one. */
function channelVector(node: Node): Node | undefined {
  if (node.op !== 'reshape') return undefined;
  const [vector] = node.inputs;
  const { shape } = node;
  const isView = shape.length === 4 && shape[0] === 1 && shape[2] === 1 && shape[3] === 1;
  return isView && vector.shape.length === 1 ? vector : undefined;
}

/**
 * Additions of a bias that Conv and Gemm can do on the way: for each such `add`, the op and the bias.
 * The op's own result must be wanted by nobody else.
 */
export function biasFusions(order: readonly Node[], wanted: ReadonlySet<Node>): Map<Node, Biased> {
  const uses = new Map<Node, number>();
  for (const { inputs } of order) for (const x of inputs) uses.set(x, (uses.get(x) ?? 0) + 1);
  const fusions = new Map<Node, Biased>();
  for (const node of order) {
    if (node.op !== 'add') continue;
    const [linear, term] = node.inputs;
    if (uses.get(linear) !== 1 || wanted.has(linear)) continue;
    const bias =
      linear.op === 'conv2d'
        ? channelVector(term)
        : linear.op === 'matmul' && term.shape.length === 1
          ? term
          : undefined;
    if (bias !== undefined) fusions.set(node, { linear, bias });
  }
  return fusions;
}
