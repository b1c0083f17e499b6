import type { Node } from '../../../ir/node.ts';
import type { Window } from '../../../ir/op.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import type { Attributes, OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import { uncovered } from '../onnx/outputPadding.ts';

const windowAttributes = ({ kernel, stride, padding }: Window): Attributes => ({
  kernel_shape: kernel,
  strides: stride,
  pads: [...padding, ...padding],
});

export const maxPool2d = (
  g: OnnxGraph,
  { params }: Node<'maxPool2d'>,
  [x]: readonly Value[],
): Value => g.emit('MaxPool', [x], windowAttributes(params));

/**
 * MaxPool once more with its winners' indices, then dy scattered to them. Windows that do not overlap
 * never meet in one place, which MaxUnpool does fastest; overlapping ones must add up.
 */
export function maxPool2dGrad(
  g: OnnxGraph,
  { params, inputs: [input, gradient] }: Node<'maxPool2dGrad'>,
  [x, dy]: readonly Value[],
): Value {
  // Said where nothing needs it, so that ONNX Runtime does not take this node for the forward one: it would put that
  // one's values in place of these again and again, and opening a training step takes it half as long again.
  const apart = { dilations: [1, 1] };
  const [, indices] = g.emitMany('MaxPool', [x], 2, { ...windowAttributes(params), ...apart });
  if (params.kernel.every((k, axis) => k <= params.stride[axis])) {
    return g.emit('MaxUnpool', [dy, indices, g.ints(input.shape)], windowAttributes(params));
  }
  const flat = g.ints([sizeOf(gradient.shape)]);
  const zeros = g.emit('Expand', [g.floats(0), g.ints([sizeOf(input.shape)])]);
  const scattered = g.emit(
    'ScatterElements',
    [zeros, g.emit('Reshape', [indices, flat]), g.emit('Reshape', [dy, flat])],
    { axis: 0, reduction: 'add' },
  );
  return g.emit('Reshape', [scattered, g.ints(input.shape)]);
}

export const avgPool2d = (
  g: OnnxGraph,
  { params }: Node<'avgPool2d'>,
  [x]: readonly Value[],
): Value => g.emit('AveragePool', [x], { ...windowAttributes(params), count_include_pad: 1 });

/** A depthwise transposed convolution with 1 / (window size) everywhere. */
export function avgPool2dGrad(
  g: OnnxGraph,
  { params, shape, inputs: [gradient] }: Node<'avgPool2dGrad'>,
  [dy]: readonly Value[],
): Value {
  const [kh, kw] = params.kernel;
  const kernel = g.floats(1 / (kh * kw), [shape[1], 1, kh, kw]);
  return g.emit('ConvTranspose', [dy, kernel], {
    ...windowAttributes(params),
    group: shape[1],
    output_padding: uncovered(params, params.inputSize, gradient.shape.slice(2)),
  });
}
