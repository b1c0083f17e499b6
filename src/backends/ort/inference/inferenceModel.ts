/** A trained model as an ONNX file for others: plain operators, any batch size, its weights inside. */
import { input } from '../../../ir/build.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import type { Node } from '../../../ir/node.ts';
import type { Op } from '../../../ir/op.ts';
import { forwardPass, type Network } from '../../../nn/module.ts';
import { type TensorMap, toFloat32 } from '../../../tensor/tensor.ts';
import { biasFusions } from '../lowering/fusions.ts';
import { type Lowering, lowerings } from '../lowering/lowering.ts';
import { type OnnxGraph, onnxGraph, type Value } from '../onnx/onnxGraph.ts';
import { foldableNorms, foldedConvolution, valuesOf } from './foldBatchNorm.ts';

export interface InferenceOptions {
  /** Take each batch norm that follows a convolution into it. */
  readonly foldBatchNorm: boolean;
  /** What a reader of the file should know: the model's name, how it wants its images. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The free extent's name. */
const batch = 'batch';

/** ONNX's mark in a Reshape for an extent as the operand has it. */
const asGiven = 0;

/** Formulations by Gemm bake the batch size in; here how to convolve is the reader's to choose. */
const convolution = (
  g: OnnxGraph,
  { params: { stride, padding } }: Node<'conv2d'>,
  operands: readonly Value[],
): Value => g.emit('Conv', operands, { strides: stride, pads: [...padding, ...padding] });

/** Of what depends on the images, the first extent is the batch's. */
const imagesReshaped = (g: OnnxGraph, { params }: Node<'reshape'>, [x]: readonly Value[]): Value =>
  g.emit('Reshape', [x, g.ints([asGiven, ...params.shape.slice(1)])]);

/** Nodes that the results are computed from, given what each is computed from. */
function reachable(result: Node, operandsOf: (node: Node) => readonly Node[]): Set<Node> {
  const found = new Set([result]);
  for (const node of found) for (const x of operandsOf(node)) found.add(x);
  return found;
}

/**
 * Serialises `model` with `weights` (as its `state` names them) in evaluation mode. Input `images` float
 * [batch, 3, 32, 32], output `logits` [batch, classes].
 */
export function inferenceModel(
  model: Network,
  weights: TensorMap,
  { foldBatchNorm, metadata }: InferenceOptions,
): Uint8Array {
  const images = input('images', [1, ...model.image]);
  const pass = forwardPass(model, { mode: 'eval' });
  const logits = model.forward(images, pass);
  const order = topologicalOrder([logits]);
  const biased = biasFusions(order, new Set([logits]));
  const folds = foldBatchNorm ? foldableNorms(order, biased) : new Map<Node, never>();

  const operandsOf = (node: Node): readonly Node[] => {
    const fold = folds.get(node);
    if (fold !== undefined) return [fold.convolution.inputs[0]];
    const fusion = biased.get(node);
    return fusion === undefined ? node.inputs : [...fusion.linear.inputs, fusion.bias];
  };
  const needed = reachable(logits, operandsOf);
  const ofImages = new Set<Node>([images]);
  for (const node of order) if (node.inputs.some((x) => ofImages.has(x))) ofImages.add(node);

  const g = onnxGraph('inference', { metadata });
  const values = new Map<Node, Value>();
  const enter = (node: Node<'input'>): Value => {
    const { name } = node.params;
    if (node === images) g.input(name, 'float', [batch, ...node.shape.slice(1)]);
    else g.weight(name, toFloat32(weights.get(name)!), node.shape);
    return name;
  };
  const folded = (norm: Node<'batchNorm'>, x: Value): Value => {
    const { convolution: into, bias } = folds.get(norm)!;
    const weight = into.inputs[1] as Node<'input'>;
    const [w, b] = valuesOf(bias ? [weight, bias] : [weight], weights);
    const statistics = valuesOf(norm.inputs.slice(1), weights);
    const both = foldedConvolution(w, b, statistics, norm.params.eps);
    const name = weight.params.name.replace(/weight$/, 'folded');
    g.weight(`${name}.weight`, both.weight, weight.shape);
    g.weight(`${name}.bias`, both.bias, [both.bias.length]);
    return convolution(g, into, [x, `${name}.weight`, `${name}.bias`]);
  };
  const lower = (node: Node): Value => {
    const operands = operandsOf(node).map((x) => values.get(x)!);
    if (node.op === 'input') return enter(node);
    if (node.op === 'batchNorm' && folds.has(node)) return folded(node, operands[0]);
    const linear = biased.get(node)?.linear ?? node;
    if (linear.op === 'conv2d') return convolution(g, linear, operands);
    if (linear.op === 'reshape' && ofImages.has(linear)) return imagesReshaped(g, linear, operands);
    return (lowerings[linear.op] as Lowering<Op>)(g, linear, operands);
  };
  const layers = new Map([...pass.outputs].map(([name, node]) => [node, name]));
  for (const node of order) {
    if (!needed.has(node)) continue;
    g.scope = layers.get(node) ?? '';
    values.set(node, lower(node));
  }
  g.output('logits', values.get(logits)!, 'float', [batch, ...logits.shape.slice(1)]);
  return g.toBytes();
}
