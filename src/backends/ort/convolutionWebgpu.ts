/**
 * Convolutions for the WebGPU provider: one Conv each, forward and backward. Its kernel works on the
 * whole batch at once, so the reasons for the CPU's other formulations do not hold; which is fastest on a
 * real GPU has not been measured.
 */
import type { Node } from '../../ir/node.ts';
import type { Pair } from '../../ir/op.ts';
import * as direct from './convolutionDirect.ts';
import type { OnnxGraph, Value } from './onnxGraph.ts';

const kernelOf = (w: Node): Pair => [w.shape[2], w.shape[3]];

export function conv2d(
  g: OnnxGraph,
  { inputs: [input, weight], shape, params }: Node<'conv2d'>,
  [x, w, bias]: readonly Value[],
): Value {
  const at = { x: input.shape, y: shape, kernel: kernelOf(weight), ...params };
  return direct.forward(g, at, x, w, bias);
}

export function conv2dInputGrad(
  g: OnnxGraph,
  { inputs: [gradient, weight], shape, params: { stride, padding } }: Node<'conv2dInputGrad'>,
  [dy, w]: readonly Value[],
): Value {
  const at = { x: shape, y: gradient.shape, kernel: kernelOf(weight), stride, padding };
  return direct.inputGrad(g, at, dy, w);
}

/** NCHW ↔ CNHW. */
const swapped = (g: OnnxGraph, x: Value): Value =>
  g.once(`swapped ${x}`, () => g.emit('Transpose', [x], { perm: [1, 0, 2, 3] }));

/**
 * dw [O, I, kh, kw] is the convolution of x, its channels taken for images, with dy as a kernel as large as
 * the map and its places `stride` apart. Rows of x that no window reached make it longer than the kernel.
 */
export function conv2dWeightGrad(
  g: OnnxGraph,
  { inputs: [input, gradient], params: { stride, padding, kernel } }: Node<'conv2dWeightGrad'>,
  [x, dy]: readonly Value[],
): Value {
  const full = g.emit('Conv', [swapped(g, x), swapped(g, dy)], {
    dilations: stride,
    pads: [...padding, ...padding],
  });
  const found = [2, 3].map(
    (axis, i) => input.shape[axis] + 2 * padding[i] - stride[i] * (gradient.shape[axis] - 1),
  );
  const isLonger = found.some((size, i) => size > kernel[i]);
  const cut = isLonger
    ? g.emit('Slice', [full, g.ints([0, 0]), g.ints(kernel), g.ints([2, 3])])
    : full;
  return swapped(g, cut);
}
