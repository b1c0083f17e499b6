/** The provider's own Conv, image by image: best on large maps. */
import type { Geometry } from './convolution.ts';
import type { OnnxGraph, Value } from './onnxGraph.ts';
import { uncovered } from './pooling.ts';

export const forward = (
  g: OnnxGraph,
  { stride, padding }: Geometry,
  x: Value,
  w: Value,
  bias?: Value,
): Value =>
  g.emit('Conv', bias === undefined ? [x, w] : [x, w, bias], {
    strides: stride,
    pads: [...padding, ...padding],
  });

/** [O, I, kh, kw] → [I, O, kh, kw] with every kernel turned by half a turn. */
const turned = (g: OnnxGraph, w: Value): Value =>
  g.once(`turned ${w}`, () => {
    const back = g.ints([-1, -1]);
    const reversed = g.emit('Slice', [w, back, g.ints([-1e9, -1e9]), g.ints([2, 3]), back]);
    return g.emit('Transpose', [reversed], { perm: [1, 0, 2, 3] });
  });

/**
 * With stride 1 the input gradient is itself a convolution, of dy padded to full overlap with the kernel
 * turned and its channels swapped. Otherwise ConvTranspose, which is slower but knows strides.
 */
export function inputGrad(g: OnnxGraph, at: Geometry, dy: Value, w: Value): Value {
  const { kernel, stride, padding, x, y } = at;
  const full = kernel.map((k, axis) => k - 1 - padding[axis]);
  if (stride.every((s) => s === 1) && full.every((p) => p >= 0)) {
    return g.emit('Conv', [dy, turned(g, w)], { pads: [...full, ...full] });
  }
  return g.emit('ConvTranspose', [dy, w], {
    strides: stride,
    pads: [...padding, ...padding],
    output_padding: uncovered(at, x.slice(2), y.slice(2)),
  });
}
