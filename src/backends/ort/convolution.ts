import type { Node } from '../../ir/node.ts';
import type { OnnxGraph, Value } from './onnxGraph.ts';
import { uncovered } from './pooling.ts';

export const conv2d = (
  g: OnnxGraph,
  { params: { stride, padding } }: Node<'conv2d'>,
  operands: readonly Value[],
): Value => g.emit('Conv', operands, { strides: stride, pads: [...padding, ...padding] });

/** [O, I, kh, kw] → [I, O, kh, kw] with every kernel turned by half a turn. */
const flipped = (g: OnnxGraph, w: Value): Value =>
  g.once(`flipped ${w}`, () => {
    const back = g.ints([-1, -1]);
    const turned = g.emit('Slice', [w, back, g.ints([-1e9, -1e9]), g.ints([2, 3]), back]);
    return g.emit('Transpose', [turned], { perm: [1, 0, 2, 3] });
  });

/**
 * With stride 1 the input gradient is itself a convolution, of dy padded to full overlap with the kernel
 * turned and its channels swapped. Otherwise ConvTranspose, which is slower but knows strides.
 */
export function conv2dInputGrad(
  g: OnnxGraph,
  { params: { stride, padding, inputSize }, inputs: [gradient, weight] }: Node<'conv2dInputGrad'>,
  [dy, w]: readonly Value[],
): Value {
  const kernel = [weight.shape[2], weight.shape[3]] as const;
  const full = kernel.map((k, axis) => k - 1 - padding[axis]);
  if (stride.every((s) => s === 1) && full.every((p) => p >= 0)) {
    return g.emit('Conv', [dy, flipped(g, w)], { pads: [...full, ...full] });
  }
  return g.emit('ConvTranspose', [dy, w], {
    strides: stride,
    pads: [...padding, ...padding],
    output_padding: uncovered({ kernel, stride, padding }, inputSize, gradient.shape.slice(2)),
  });
}

/** NCHW → NHWC. */
const channelsLast = (g: OnnxGraph, x: Value): Value =>
  g.once(`channels last ${x}`, () => g.emit('Transpose', [x], { perm: [0, 2, 3, 1] }));

/**
 * dw[o, i, r, s] = Σ over images and places of dy[·, o, ·] · x[·, i, shifted by (r, s)]: one Gemm a tap
 * over the whole batch, dyᵀ [O, n·h·w] × x [n·h·w, I].
 */
export function conv2dWeightGrad(
  g: OnnxGraph,
  { params: { stride, padding, kernel }, inputs: [input, gradient] }: Node<'conv2dWeightGrad'>,
  [x, dy]: readonly Value[],
): Value {
  const [n, inChannels] = input.shape;
  const [, outChannels, height, width] = gradient.shape;
  const [ph, pw] = padding;
  const rows = n * height * width;
  const gradientRows = g.once(`rows ${dy}`, () =>
    g.emit('Reshape', [channelsLast(g, dy), g.ints([rows, outChannels])]),
  );
  const last = channelsLast(g, x);
  const padded =
    ph === 0 && pw === 0
      ? last
      : g.once(`padded ${last} ${padding}`, () =>
          g.emit('Pad', [last, g.ints([0, ph, pw, 0, 0, ph, pw, 0])]),
        );
  const taps: Value[] = [];
  for (let r = 0; r < kernel[0]; r++) {
    for (let s = 0; s < kernel[1]; s++) {
      const end = [r + stride[0] * (height - 1) + 1, s + stride[1] * (width - 1) + 1];
      const shifted = g.emit('Slice', [
        padded,
        g.ints([r, s]),
        g.ints(end),
        g.ints([1, 2]),
        g.ints(stride),
      ]);
      const shiftedRows = g.emit('Reshape', [shifted, g.ints([rows, inChannels])]);
      const tap = g.emit('Gemm', [gradientRows, shiftedRows], { transA: 1 });
      taps.push(g.emit('Unsqueeze', [tap, g.ints([2])]));
    }
  }
  const stacked = g.emit('Concat', taps, { axis: 2 });
  return g.emit('Reshape', [stacked, g.ints([outChannels, inChannels, ...kernel])]);
}
