/** The provider's own Conv, image by image: best on large maps. */

import type { Attributes, OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import { uncovered } from '../onnx/outputPadding.ts';
import type { Geometry } from './geometry.ts';

/** What a forward Conv is told. */
export const forwardAttributes = ({ stride, padding }: Geometry): Attributes => ({
  strides: stride,
  pads: [...padding, ...padding],
});

export const forward = (g: OnnxGraph, at: Geometry, x: Value, w: Value, bias?: Value): Value =>
  g.emit('Conv', bias === undefined ? [x, w] : [x, w, bias], forwardAttributes(at));

/** [O, I, kh, kw] → [I, O, kh, kw] with every kernel turned by half a turn. */
export const turned = (g: OnnxGraph, w: Value): Value =>
  g.once(`turned ${w}`, () => {
    const back = g.ints([-1, -1]);
    const reversed = g.emit('Slice', [w, back, g.ints([-1e9, -1e9]), g.ints([2, 3]), back]);
    return g.emit('Transpose', [reversed], { perm: [1, 0, 2, 3] });
  });

/** With stride 1: the padding of dy to full overlap with the kernel; undefined where there is no such convolution. */
export function fullOverlap({ kernel, stride, padding }: Geometry): readonly number[] | undefined {
  const full = kernel.map((k, axis) => k - 1 - padding[axis]);
  return stride.every((s) => s === 1) && full.every((p) => p >= 0) ? full : undefined;
}

/**
 * With stride 1 the input gradient is itself a convolution, of dy padded to full overlap with the kernel
 * turned and its channels swapped. Otherwise ConvTranspose, which is slower but knows strides.
 */
export function inputGrad(g: OnnxGraph, at: Geometry, dy: Value, w: Value): Value {
  const full = fullOverlap(at);
  if (full !== undefined) {
    return g.emit('Conv', [dy, turned(g, w)], { pads: [...full, ...full] });
  }
  const { stride, padding, x, y } = at;
  return g.emit('ConvTranspose', [dy, w], {
    strides: stride,
    pads: [...padding, ...padding],
    output_padding: uncovered(at, x.slice(2), y.slice(2)),
  });
}
