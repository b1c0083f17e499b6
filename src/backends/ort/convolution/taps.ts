/**
 * One Gemm a kernel tap over the whole batch, in NHWC:
 *
 *     y = Σ over taps (r, s) of x shifted by (r, s) [n·h·w, I] × w[·, ·, r, s]ᵀ [I, O]
 *
 * Copying the shifted maps costs memory traffic; the Gemms are long and fast. The copies of x serve the
 * forward pass and the weight gradient alike.
 */

import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import type { Geometry } from './geometry.ts';

/** [n·h·w, c] → [n, c, h, w]. */
const channelsFirst = (g: OnnxGraph, rows: Value, [n, c, h, w]: readonly number[]): Value =>
  g.emit('Transpose', [g.emit('Reshape', [rows, g.ints([n, h, w, c])])], { perm: [0, 3, 1, 2] });

/** OIHW → one [O, I] matrix a tap. */
const tapMatrices = (
  g: OnnxGraph,
  w: Value,
  [out, into]: readonly [number, number],
  taps: number,
): Value =>
  g.once(`taps ${w}`, () => {
    const first = g.emit('Transpose', [w], { perm: [2, 3, 0, 1] });
    return g.emit('Reshape', [first, g.ints([taps, out, into])]);
  });

function tapMatrix(g: OnnxGraph, { x, y, kernel }: Geometry, w: Value, tap: number): Value {
  const all = tapMatrices(g, w, [y[1], x[1]], kernel[0] * kernel[1]);
  return g.once(`tap ${tap} of ${w}`, () => {
    const one = g.emit('Slice', [all, g.ints([tap]), g.ints([tap + 1]), g.ints([0])]);
    return g.emit('Reshape', [one, g.ints([y[1], x[1]])]);
  });
}

interface View {
  /** Pixels added at either edge, by axis. */
  readonly pad: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Height and width that come out. */
  readonly size: readonly [number, number];
}

/** Where a layout keeps its axes, and the matrix it is read as. */
interface Layout {
  readonly name: string;
  /** From NCHW. */
  readonly perm: readonly number[];
  /** Position of height and width. */
  readonly axes: readonly [number, number];
  readonly matrix: (places: number, channels: number) => readonly [number, number];
}

/** NHWC: one row a place, [n·h·w, c]. */
const rowsOfPlaces: Layout = {
  name: 'rows',
  perm: [0, 2, 3, 1],
  axes: [1, 2],
  matrix: (places, channels) => [places, channels],
};

/** CNHW: one row a channel, [c, n·h·w]. Made from NCHW by copying whole maps, not single numbers. */
const rowsOfChannels: Layout = {
  name: 'channels',
  perm: [1, 0, 2, 3],
  axes: [2, 3],
  matrix: (places, channels) => [channels, places],
};

const laidOut = (g: OnnxGraph, map: Value, { name, perm }: Layout): Value =>
  g.once(`${name} ${map}`, () => g.emit('Transpose', [map], { perm }));

/** `map` (n, c, h, w) as the layout's matrix. */
const asMatrix = (
  g: OnnxGraph,
  map: Value,
  [n, c, h, w]: readonly number[],
  layout: Layout,
): Value =>
  g.once(`matrix of ${layout.name} ${map}`, () =>
    g.emit('Reshape', [laidOut(g, map, layout), g.ints(layout.matrix(n * h * w, c))]),
  );

/** `map` (n, c, h, w) padded and seen through tap (r, s), as the layout's matrix. */
function shifted(
  g: OnnxGraph,
  map: Value,
  [n, c]: readonly number[],
  { pad, stride, size }: View,
  [r, s]: readonly [number, number],
  layout: Layout,
): Value {
  const edges = [0, 0, 0, 0];
  layout.axes.forEach((axis, i) => {
    edges[axis] = pad[i];
  });
  const padded = pad.every((p) => p === 0)
    ? laidOut(g, map, layout)
    : g.once(`padded ${pad} ${layout.name} ${map}`, () =>
        g.emit('Pad', [laidOut(g, map, layout), g.ints([...edges, ...edges])]),
      );
  return g.once(`shifted ${r},${s} ${pad} ${stride} ${size} ${layout.name} ${map}`, () => {
    const end = [r + stride[0] * (size[0] - 1) + 1, s + stride[1] * (size[1] - 1) + 1];
    const axes = g.ints(layout.axes);
    const cut = g.emit('Slice', [padded, g.ints([r, s]), g.ints(end), axes, g.ints(stride)]);
    return g.emit('Reshape', [cut, g.ints(layout.matrix(n * size[0] * size[1], c))]);
  });
}

const tapsOf = ([kh, kw]: readonly [number, number]): (readonly [number, number])[] =>
  Array.from({ length: kh * kw }, (_, tap) => [Math.floor(tap / kw), tap % kw] as const);

const spatial = (shape: readonly number[]): [number, number] => [shape[2], shape[3]];

/** Sums a Gemm a tap, each into the one before. */
const summed = (
  g: OnnxGraph,
  terms: readonly (readonly [Value, Value])[],
  transB: 0 | 1,
  start?: Value,
): Value =>
  terms.reduce<Value | undefined>(
    (sum, [a, b]) => g.emit('Gemm', sum === undefined ? [a, b] : [a, b, sum], { transB }),
    start,
  )!;

export function forward(g: OnnxGraph, at: Geometry, x: Value, w: Value, bias?: Value): Value {
  const { stride, padding, kernel, y } = at;
  const view = { pad: padding, stride, size: spatial(y) };
  const terms = tapsOf(kernel).map(
    (tap, i) => [shifted(g, x, at.x, view, tap, rowsOfPlaces), tapMatrix(g, at, w, i)] as const,
  );
  return channelsFirst(g, summed(g, terms, 1, bias), y);
}

/** Stride 1: dx sums dy padded to full overlap, seen through the turned kernel. */
export function inputGrad(g: OnnxGraph, at: Geometry, dy: Value, w: Value): Value {
  const { padding, kernel, x, y } = at;
  const pad = [kernel[0] - 1 - padding[0], kernel[1] - 1 - padding[1]] as const;
  const view = { pad, stride: [1, 1] as const, size: spatial(x) };
  const terms = tapsOf(kernel).map(([r, s], i) => {
    const opposite = [kernel[0] - 1 - r, kernel[1] - 1 - s] as const;
    return [shifted(g, dy, y, view, opposite, rowsOfPlaces), tapMatrix(g, at, w, i)] as const;
  });
  return channelsFirst(g, summed(g, terms, 0), x);
}

/** Below this many input channels (an image's three) all taps fit into one Gemm. */
const fewChannels = 16;

/** From this width on, rows of a single channel's map are long enough to be copied as they lie. */
const wideMap = 32;

/**
 * dw[·, ·, r, s] = dy [O, n·h·w] × x shifted by (r, s) [n·h·w, I]. Reading dy channel by channel saves
 * the Gemm from transposing it for every tap, which cost it a third of its speed. How x is laid out, and
 * whether the taps run as one batched product, was measured by map size.
 */
export function weightGrad(g: OnnxGraph, at: Geometry, x: Value, dy: Value): Value {
  const { stride, padding, kernel, y } = at;
  const [out, into] = [y[1], at.x[1]];
  const gradient = asMatrix(g, dy, y, rowsOfChannels);
  const view = { pad: padding, stride, size: spatial(y) };
  const taps = tapsOf(kernel);
  const seen = (layout: Layout): Value[] =>
    taps.map((tap) => shifted(g, x, at.x, view, tap, layout));
  const result = (joined: Value, shape: readonly number[], perm: readonly number[]): Value => {
    const split = g.emit('Reshape', [joined, g.ints(shape)]);
    return g.emit('Reshape', [
      g.emit('Transpose', [split], { perm }),
      g.ints([out, into, ...kernel]),
    ]);
  };

  if (into <= fewChannels) {
    const all = g.emit('Concat', seen(rowsOfPlaces), { axis: 1 });
    return result(g.emit('Gemm', [gradient, all]), [out, taps.length, into], [0, 2, 1]);
  }
  const stack = (values: readonly Value[]): Value =>
    g.emit(
      'Concat',
      values.map((v) => g.emit('Unsqueeze', [v, g.ints([0])])),
      { axis: 0 },
    );
  const byTap =
    y[3] >= wideMap
      ? stack(seen(rowsOfChannels).map((v) => g.emit('Gemm', [gradient, v], { transB: 1 })))
      : g.emit('MatMul', [g.emit('Unsqueeze', [gradient, g.ints([0])]), stack(seen(rowsOfPlaces))]);
  return result(byTap, [taps.length, out, into], [1, 2, 0]);
}
