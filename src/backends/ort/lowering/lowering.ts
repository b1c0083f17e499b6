import type { Node } from '../../../ir/node.ts';
import type { Op } from '../../../ir/op.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../convolution/convolution.ts';
import { type Attributes, type OnnxGraph, offOn, type Value } from '../onnx/onnxGraph.ts';
import { avgPool2d, avgPool2dGrad, maxPool2d, maxPool2dGrad } from './pooling.ts';
import { reduceSum } from './reduceSum.ts';

/** Writes one op's ONNX nodes; the result is the value that holds the op's. */
export type Lowering<K extends Op> = (
  graph: OnnxGraph,
  node: Node<K>,
  operands: readonly Value[],
) => Value;

const direct =
  (type: string, attributes?: Attributes) =>
  (graph: OnnxGraph, _: Node, operands: readonly Value[]): Value =>
    graph.emit(type, operands, attributes);

const never = (graph: OnnxGraph, node: Node<'input'>): Value => {
  graph.input(node.params.name, node.dtype, node.shape);
  return node.params.name;
};

/** One lowering an op. */
export type Lowerings = { readonly [K in Op]: Lowering<K> };

/** Every op in ONNX operators, as the CPU provider does them best. */
export const lowerings: Lowerings = {
  input: never,
  constant: (graph, { params }) => graph.floats(params.value, params.shape),

  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  neg: direct('Neg'),
  exp: direct('Exp'),
  sqrt: direct('Sqrt'),
  relu: direct('Relu'),
  // y ≥ 0, so sign(y) is 1 or 0; four times cheaper than Where on the CPU provider
  reluGrad: (graph, _, [dy, y]) => graph.emit('Mul', [dy, graph.emit('Sign', [y])]),
  equal: (graph, _, operands) => graph.emit('Cast', [graph.emit('Equal', operands)], { to: 1 }),

  matmul: (graph, { params }, operands) =>
    graph.emit('Gemm', operands, {
      transA: Number(params.transposeA),
      transB: Number(params.transposeB),
    }),
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,

  maxPool2d,
  maxPool2dGrad,
  avgPool2d,
  avgPool2dGrad,
  batchNorm: (graph, { params }, operands) =>
    graph.emit('BatchNormalization', operands, { epsilon: { float: params.eps } }),

  reshape: (graph, { params }, [x]) => graph.emit('Reshape', [x, graph.ints(params.shape)]),
  transpose: (graph, { params }, [x]) => graph.emit('Transpose', [x], { perm: params.perm }),
  broadcastTo: (graph, { params }, [x]) => graph.emit('Expand', [x, graph.ints(params.shape)]),
  reduceSum,

  logSoftmax: direct('LogSoftmax', { axis: -1 }),
  oneHot: (graph, { params }, [labels]) =>
    graph.emit('OneHot', [labels, graph.ints([params.classes]), offOn(graph)], { axis: -1 }),
  argMax: direct('ArgMax', { axis: -1, keepdims: 0, select_last_index: 0 }),
};
