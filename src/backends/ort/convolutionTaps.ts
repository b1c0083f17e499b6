/**
 * One Gemm a kernel tap over the whole batch, in NHWC:
 *
 *     y = Σ over taps (r, s) of x shifted by (r, s) [n·h·w, I] × w[·, ·, r, s]ᵀ [I, O]
 *
 * Copying the shifted maps costs memory traffic; the Gemms are long and fast. The copies of x serve the
 * forward pass and the weight gradient alike.
 */
import type { Geometry } from './convolution.ts';
import type { OnnxGraph, Value } from './onnxGraph.ts';

/** [n, c, h, w] → [n, h, w, c]. */
export const channelsLast = (g: OnnxGraph, x: Value): Value =>
  g.once(`channels last ${x}`, () => g.emit('Transpose', [x], { perm: [0, 2, 3, 1] }));

/** [n·h·w, c] → [n, c, h, w]. */
const channelsFirst = (g: OnnxGraph, rows: Value, [n, c, h, w]: readonly number[]): Value =>
  g.emit('Transpose', [g.emit('Reshape', [rows, g.ints([n, h, w, c])])], { perm: [0, 3, 1, 2] });

/** OIHW → one [O, I] matrix a tap. */
export const tapMatrices = (
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

interface Shifted {
  /** Pixels cut away (negative padding) or added at the near and far edge, by axis. */
  readonly pad: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Height and width that come out. */
  readonly size: readonly [number, number];
}

/** `map` (n, c, h, w) padded, seen through tap (r, s), as rows [n·h'·w', c]. */
function shiftedRows(
  g: OnnxGraph,
  map: Value,
  [n, c]: readonly number[],
  { pad: [ph, pw], stride, size }: Shifted,
  [r, s]: readonly [number, number],
): Value {
  const last = channelsLast(g, map);
  const padded =
    ph === 0 && pw === 0
      ? last
      : g.once(`padded ${ph},${pw} ${map}`, () =>
          g.emit('Pad', [last, g.ints([0, ph, pw, 0, 0, ph, pw, 0])]),
        );
  return g.once(`shifted ${r},${s} ${ph},${pw} ${stride} ${size} ${map}`, () => {
    const end = [r + stride[0] * (size[0] - 1) + 1, s + stride[1] * (size[1] - 1) + 1];
    const axes = g.ints([1, 2]);
    const cut = g.emit('Slice', [padded, g.ints([r, s]), g.ints(end), axes, g.ints(stride)]);
    return g.emit('Reshape', [cut, g.ints([n * size[0] * size[1], c])]);
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
    (tap, i) => [shiftedRows(g, x, at.x, view, tap), tapMatrix(g, at, w, i)] as const,
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
    return [shiftedRows(g, dy, y, view, opposite), tapMatrix(g, at, w, i)] as const;
  });
  return channelsFirst(g, summed(g, terms, 0), x);
}

/** Below this many input channels (an image's three) a Gemm a tap reads dy for next to nothing. */
const fewChannels = 16;

/** dw[·, ·, r, s] = dyᵀ [O, n·h·w] × x shifted by (r, s) [n·h·w, I]. */
export function weightGrad(g: OnnxGraph, at: Geometry, x: Value, dy: Value): Value {
  const { stride, padding, kernel, y } = at;
  const [n, out, height, width] = y;
  const rows = g.once(`rows ${dy}`, () =>
    g.emit('Reshape', [channelsLast(g, dy), g.ints([n * height * width, out])]),
  );
  const view = { pad: padding, stride, size: spatial(y) };
  const shifted = tapsOf(kernel).map((tap) => shiftedRows(g, x, at.x, view, tap));
  const into = at.x[1];
  if (into <= fewChannels) {
    const joined = g.emit('Concat', shifted, { axis: 1 });
    const gradient = g.emit('Gemm', [rows, joined], { transA: 1 });
    const byTap = g.emit('Reshape', [gradient, g.ints([out, shifted.length, into])]);
    const ordered = g.emit('Transpose', [byTap], { perm: [0, 2, 1] });
    return g.emit('Reshape', [ordered, g.ints([out, into, ...kernel])]);
  }
  const matrices = shifted.map((tap) => {
    const gradient = g.emit('Gemm', [rows, tap], { transA: 1 });
    return g.emit('Unsqueeze', [gradient, g.ints([2])]);
  });
  const stacked = g.emit('Concat', matrices, { axis: 2 });
  return g.emit('Reshape', [stacked, g.ints([out, into, ...kernel])]);
}
