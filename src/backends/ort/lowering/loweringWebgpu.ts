/**
 * Ops whose CPU lowering holds an operator that the WebGPU provider lacks (it would run on the CPU, its
 * operands copied to and fro), or leaves most of a GPU idle.
 */
import type { Node } from '../../../ir/node.ts';
import * as convolution from '../convolution/onWebgpu.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import { type Lowerings, lowerings } from './lowering.ts';
import { maxPool2dGrad } from './poolingWebgpu.ts';

/** ONNX's codes of the types that a Cast makes. */
const float32 = 1;
const int32 = 6;

/** 0, 1 … n − 1 as float. */
const places = (g: OnnxGraph, n: number): Value =>
  g.once(`places ${n}`, () =>
    g.emit('Cast', [g.ints(Array.from({ length: n }, (_, i) => i))], { to: float32 }),
  );

const last = (g: OnnxGraph): Value => g.ints([-1]);

/** No LogSoftmax here: x − max − log Σ exp(x − max). */
function logSoftmax(g: OnnxGraph, _: Node, [x]: readonly Value[]): Value {
  const shifted = g.emit('Sub', [x, g.emit('ReduceMax', [x, last(g)])]);
  const sum = g.emit('ReduceSum', [g.emit('Exp', [shifted]), last(g)]);
  return g.emit('Sub', [shifted, g.emit('Log', [sum])]);
}

/** No OneHot here. */
function oneHot(g: OnnxGraph, { params }: Node<'oneHot'>, [labels]: readonly Value[]): Value {
  const column = g.emit('Unsqueeze', [g.emit('Cast', [labels], { to: float32 }), last(g)]);
  return g.emit('Cast', [g.emit('Equal', [column, places(g, params.classes)])], { to: float32 });
}

/** ArgMax answers in int64: the least place that holds the maximum instead. */
function argMax(g: OnnxGraph, { inputs }: Node<'argMax'>, [x]: readonly Value[]): Value {
  const classes = inputs[0].shape[inputs[0].shape.length - 1];
  const isMax = g.emit('Equal', [x, g.emit('ReduceMax', [x, last(g)])]);
  const found = g.emit('Where', [isMax, places(g, classes), g.floats(classes)]);
  const first = g.emit('ReduceMin', [found, last(g)], { keepdims: 0 });
  return g.emit('Cast', [first], { to: int32 });
}

/**
 * The inner axes first and then the outermost: the provider gives one workgroup to each result, so that
 * summing a whole weight or a channel over a batch in one go would keep a few of them busy for long.
 */
function reduceSum(g: OnnxGraph, node: Node<'reduceSum'>, [x]: readonly Value[]): Value {
  const { axes, keepDims } = node.params;
  if (axes.length < 2) return lowerings.reduceSum(g, node, [x]);
  const [outer, ...inner] = [...axes].sort((a, b) => a - b);
  const rows = g.emit('ReduceSum', [x, g.ints(inner)], { keepdims: 1 });
  const sum = g.emit('ReduceSum', [rows, g.ints([outer])], { keepdims: 1 });
  return keepDims ? sum : g.emit('Reshape', [sum, g.ints(node.shape)]);
}

/** Every op in operators that the WebGPU provider has. */
export const webgpuLowerings: Lowerings = {
  ...lowerings,
  // no Sign here
  reluGrad: (g, _, [dy, y]) =>
    g.emit('Where', [g.emit('Greater', [y, g.floats(0)]), dy, g.floats(0)]),
  ...convolution,
  maxPool2dGrad,
  reduceSum,
  logSoftmax,
  oneHot,
  argMax,
};
