/**
 * Convolutions for the WebGPU provider: a Conv each, forward and backward, in parts where its sum would be long. Its
 * kernel works on the whole batch at once, so the reasons for the CPU's other formulations do not hold; which is
 * fastest on a real GPU has not been measured.
 */
import type { Node } from '../../../ir/node.ts';
import type { Pair } from '../../../ir/op.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import * as direct from './direct.ts';
import { channelParts, convInParts } from './inParts.ts';

const kernelOf = (w: Node): Pair => [w.shape[2], w.shape[3]];

export function conv2d(
  g: OnnxGraph,
  { inputs: [input, weight], shape, params }: Node<'conv2d'>,
  [x, w, bias]: readonly Value[],
): Value {
  const at = { x: input.shape, y: shape, kernel: kernelOf(weight), ...params };
  const parts = channelParts(input.shape[1], sizeOf(at.kernel));
  if (parts.length === 1) return direct.forward(g, at, x, w, bias);
  const y = convInParts(g, [x, w], parts, direct.forwardAttributes(at));
  return bias === undefined
    ? y
    : g.emit('Add', [y, g.emit('Reshape', [bias, g.ints([1, -1, 1, 1])])]);
}

export function conv2dInputGrad(
  g: OnnxGraph,
  { inputs: [gradient, weight], shape, params: { stride, padding } }: Node<'conv2dInputGrad'>,
  [dy, w]: readonly Value[],
): Value {
  const at = { x: shape, y: gradient.shape, kernel: kernelOf(weight), stride, padding };
  const full = direct.fullOverlap(at);
  if (full === undefined) return direct.inputGrad(g, at, dy, w);
  const parts = channelParts(gradient.shape[1], sizeOf(at.kernel));
  return convInParts(g, [dy, direct.turned(g, w)], parts, { pads: [...full, ...full] });
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
  const [images, , ...map] = gradient.shape;
  const full = convInParts(g, [swapped(g, x), swapped(g, dy)], channelParts(images, sizeOf(map)), {
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
