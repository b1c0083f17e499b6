import type { Node } from '../../../ir/node.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../../../tensor/tensor.ts';
import type { Biased } from '../lowering/fusions.ts';

/** A batch norm and the convolution before it, whose result nothing else reads. */
export interface Foldable {
  readonly convolution: Node<'conv2d'>;
  /** The convolution's own bias, where it has one. */
  readonly bias?: Node;
}

/** What can be folded: for each such `batchNorm`, the convolution that takes it in. */
export function foldableNorms(
  order: readonly Node[],
  biased: ReadonlyMap<Node, Biased>,
): Map<Node, Foldable> {
  const uses = new Map<Node, number>();
  for (const { inputs } of order) for (const x of inputs) uses.set(x, (uses.get(x) ?? 0) + 1);
  const found = new Map<Node, Foldable>();
  for (const node of order) {
    if (node.op !== 'batchNorm') continue;
    const [x] = node.inputs;
    const { linear, bias } = biased.get(x) ?? { linear: x, bias: undefined };
    if (linear.op !== 'conv2d' || uses.get(x) !== 1 || uses.get(linear) !== 1) continue;
    found.set(node, { convolution: linear, ...(bias && { bias }) });
  }
  return found;
}

export interface Folded {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * The convolution that does both: w · s and (b − mean) · s + shift with s = scale / √(variance + eps) by output
 * channel, in float64 and rounded once. `norm` is scale, shift, mean, variance.
 */
export function foldedConvolution(
  weight: Tensor,
  bias: Tensor | undefined,
  norm: readonly Tensor[],
  eps: number,
): Folded {
  const [scale, shift, mean, variance] = norm.map(toFloat64);
  const own = bias && toFloat64(bias);
  const factors = scale.map((s, c) => s / Math.sqrt(variance[c] + eps));
  const size = weight.data.length / factors.length;
  return {
    weight: Float32Array.from(toFloat64(weight), (w, i) => w * factors[Math.floor(i / size)]),
    bias: Float32Array.from(factors, (s, c) => ((own?.[c] ?? 0) - mean[c]) * s + shift[c]),
  };
}

/** The tensors behind parameter nodes. */
export const valuesOf = (nodes: readonly Node[], weights: TensorMap): Tensor[] =>
  nodes.map((node) => weights.get((node as Node<'input'>).params.name)!);
