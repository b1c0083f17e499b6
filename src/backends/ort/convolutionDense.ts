/**
 * Maps no larger than the kernel: nearly every output sees nearly every input, so the convolution is a
 * dense layer [h·w·I] → [h'·w'·O] whose matrix repeats the kernel's taps. On 2×2 maps under a 3×3 kernel
 * this does 16 products where the padded window does 36.
 */
import type { Geometry } from './convolution.ts';
import { channelsLast, tapMatrices } from './convolutionTaps.ts';
import { type OnnxGraph, offOn, type Value } from './onnxGraph.ts';

/** For every (output place, input place), the tap that joins them; `kh·kw` where none does. */
function tapTable({ x, y, kernel: [kh, kw], padding, stride }: Geometry): number[] {
  const table: number[] = [];
  for (let oh = 0; oh < y[2]; oh++) {
    for (let ow = 0; ow < y[3]; ow++) {
      for (let ih = 0; ih < x[2]; ih++) {
        for (let iw = 0; iw < x[3]; iw++) {
          const r = ih + padding[0] - oh * stride[0];
          const s = iw + padding[1] - ow * stride[1];
          table.push(r >= 0 && r < kh && s >= 0 && s < kw ? r * kw + s : kh * kw);
        }
      }
    }
  }
  return table;
}

interface Sizes {
  readonly batch: number;
  readonly into: number;
  readonly out: number;
  /** Places of the input and output map. */
  readonly places: readonly [number, number];
  readonly taps: number;
}

const sizesOf = ({ x, y, kernel }: Geometry): Sizes => ({
  batch: x[0],
  into: x[1],
  out: y[1],
  places: [x[2] * x[3], y[2] * y[3]],
  taps: kernel[0] * kernel[1],
});

/** The layer's matrix [h'·w'·O, h·w·I], rows and columns by place, then channel. */
function matrix(g: OnnxGraph, at: Geometry, w: Value): Value {
  const { into, out, places, taps } = sizesOf(at);
  const table = tapTable(at);
  return g.once(`dense ${w} ${table}`, () => {
    const own = tapMatrices(g, w, [out, into], taps);
    const blank = table.includes(taps)
      ? g.emit('Concat', [own, g.floats(0, [1, out, into])], { axis: 0 })
      : own;
    const joined = g.emit('Gather', [blank, g.ints(table)], { axis: 0 });
    const blocks = g.emit('Reshape', [joined, g.ints([places[1], places[0], out, into])]);
    const ordered = g.emit('Transpose', [blocks], { perm: [0, 2, 1, 3] });
    return g.emit('Reshape', [ordered, g.ints([places[1] * out, places[0] * into])]);
  });
}

/** [n, c, h, w] → [n, h·w·c]. */
const flat = (g: OnnxGraph, x: Value, batch: number, size: number): Value =>
  g.once(`flat ${x}`, () => g.emit('Reshape', [channelsLast(g, x), g.ints([batch, size])]));

/** [n, h·w·c] → [n, c, h, w]. */
const unflat = (g: OnnxGraph, rows: Value, [n, c, h, w]: readonly number[]): Value =>
  g.emit('Transpose', [g.emit('Reshape', [rows, g.ints([n, h, w, c])])], { perm: [0, 3, 1, 2] });

export function forward(g: OnnxGraph, at: Geometry, x: Value, w: Value, bias?: Value): Value {
  const { batch, into, places } = sizesOf(at);
  const rows = flat(g, x, batch, places[0] * into);
  const operands = [rows, matrix(g, at, w)];
  if (bias !== undefined) {
    operands.push(g.emit('Tile', [bias, g.ints([places[1]])]));
  }
  return unflat(g, g.emit('Gemm', operands, { transB: 1 }), at.y);
}

export function inputGrad(g: OnnxGraph, at: Geometry, dy: Value, w: Value): Value {
  const { batch, out, places } = sizesOf(at);
  const rows = flat(g, dy, batch, places[1] * out);
  return unflat(g, g.emit('Gemm', [rows, matrix(g, at, w)]), at.x);
}

/** The matrix's gradient dyᵀ × x, its blocks summed by the tap they repeat. */
export function weightGrad(g: OnnxGraph, at: Geometry, x: Value, dy: Value): Value {
  const { batch, into, out, places, taps } = sizesOf(at);
  const rows = flat(g, dy, batch, places[1] * out);
  const full = g.emit('Gemm', [rows, flat(g, x, batch, places[0] * into)], { transA: 1 });
  const split = g.emit('Reshape', [full, g.ints([places[1], out, places[0], into])]);
  const byPair = g.emit('Transpose', [split], { perm: [0, 2, 1, 3] });
  const pairs = places[0] * places[1];
  const blocks = g.emit('Reshape', [byPair, g.ints([pairs, out * into])]);
  const table = tapTable(at);
  const joins = g.once(`joins ${table}`, () =>
    g.emit('OneHot', [g.ints(table), g.ints([taps]), offOn(g)], { axis: 0 }),
  );
  const summed = g.emit('Gemm', [joins, blocks]);
  const stacked = g.emit('Reshape', [summed, g.ints([...at.kernel, out, into])]);
  return g.emit('Transpose', [stacked], { perm: [2, 3, 0, 1] });
}
