/**
 * Convolutions with stride 1 by three constant matrices around independent products (bilinearMatrices.ts):
 *
 *     V = D x        input maps, every tile in F frequencies
 *     U = G w        kernels in the same frequencies
 *     M = V Uᵀ       an independent product over channels for each frequency
 *     y = E M        tiles of results
 *
 * All steps are linear in maps and kernels, so the gradients are the same matrices transposed:
 *
 *     dM = Eᵀ dy     dV = dM U     dx = Dᵀ dV     dU = dMᵀ V     dw = Gᵀ dU
 *
 * Padding is part of D: nothing is padded, shifted or brought into another layout, because Gemm reads maps as
 * [n·c·h, w] and kernels as [O·I, taps] just as they lie.
 */
import type { Pair } from '../../../ir/op.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import {
  type AxisChoice,
  type AxisMatrix,
  bothAxes,
  kronecker,
  type Matrix,
  oneAxis,
} from './bilinearMatrices.ts';
import type { Formulation, Geometry } from './geometry.ts';

/** Larger maps are transformed one axis after the other: two passes, but far fewer products. */
const wholeMap = 16;

/** Between maps [n, c, h, w] and tiles by frequency: one matrix for the whole map, or one for each axis. */
interface Transform {
  readonly channels: number;
  readonly places: Pair;
  readonly frequencies: Pair;
  readonly tiles: Pair;
  readonly matrices: readonly [whole: Value] | readonly [down: Value, across: Value];
}

interface Plan {
  readonly batch: number;
  /** D. */
  readonly input: Transform;
  /** Eᵀ. */
  readonly output: Transform;
  /** G: [F, taps]. */
  readonly kernel: Matrix;
}

function planOf(g: OnnxGraph, { x, y, padding, kernel }: Geometry, choice: AxisChoice): Plan {
  const whole = Math.max(x[2] * x[3], y[2] * y[3]) <= wholeMap;
  const transform = (channels: number, down: AxisMatrix, across: AxisMatrix): Transform => ({
    channels,
    places: [down.places, across.places],
    frequencies: [down.rows.length, across.rows.length],
    tiles: [down.tiles, across.tiles],
    matrices: whole
      ? [g.matrix(bothAxes(down, across))]
      : [g.matrix(oneAxis(down)), g.matrix(oneAxis(across))],
  });
  const down = choice(x[2], y[2], padding[0], kernel[0]);
  const across = choice(x[3], y[3], padding[1], kernel[1]);
  return {
    batch: x[0],
    input: transform(x[1], down.input, across.input),
    output: transform(y[1], down.output, across.output),
    kernel: kronecker(down.kernel, across.kernel),
  };
}

/**
 * Shape of a spectrum, whose products are batched by its first three axes: [F, 1, 1, T·n, c] from a whole map of T
 * tiles; [frequencies down, tiles down, frequencies across, tiles across · n, c] from two axes.
 */
function spectrum({ channels, frequencies, tiles, matrices }: Transform, n: number): number[] {
  const [down, across] = tiles;
  return matrices.length === 1
    ? [sizeOf(frequencies), 1, 1, down * across * n, channels]
    : [frequencies[0], down, frequencies[1], across * n, channels];
}

/** Maps [n, c, h, w] → their spectrum. Each Gemm takes the last axis away and puts a new one first. */
function spread(g: OnnxGraph, at: Transform, map: Value, n: number): Value {
  const { places, matrices } = at;
  const [first, second] = matrices;
  const by = (matrix: Value, x: Value, last: number): Value =>
    g.emit('Gemm', [matrix, g.emit('Reshape', [x, g.ints([-1, last])])], { transB: 1 });
  return g.once(`spectrum ${matrices} ${map}`, () => {
    const flat =
      second === undefined
        ? by(first, map, places[0] * places[1])
        : by(first, by(second, map, places[1]), places[0]);
    return g.emit('Reshape', [flat, g.ints(spectrum(at, n))]);
  });
}

/** The transpose of `spread`: a spectrum → maps [n, c, h, w], plus a bias [c] where one is given. */
function gather(g: OnnxGraph, at: Transform, value: Value, n: number, bias?: Value): Value {
  const { channels, places, frequencies, tiles, matrices } = at;
  const [first, second] = matrices;
  const by = (matrix: Value, x: Value, leading: number, more: readonly Value[] = []): Value =>
    g.emit('Gemm', [g.emit('Reshape', [x, g.ints([leading, -1])]), matrix, ...more], { transA: 1 });
  const [down, across] = tiles.map((count, axis) => count * frequencies[axis]);
  const added =
    bias === undefined ? [] : [column(g, bias, n, second === undefined ? 1 : places[0])];
  const flat =
    second === undefined
      ? by(first, value, down * across, added)
      : by(second, by(first, value, down), across, added);
  return g.emit('Reshape', [flat, g.ints([n, channels, ...places])]);
}

/** A bias [c] for the rows of [n·c·h, w]: [n·c·h, 1]. */
function column(g: OnnxGraph, bias: Value, n: number, h: number): Value {
  const repeated = g.emit('Tile', [g.emit('Unsqueeze', [bias, g.ints([1])]), g.ints([n, h])]);
  return g.emit('Reshape', [repeated, g.ints([-1, 1])]);
}

/** U, in a shape whose products with a spectrum broadcast over its tiles: [·, 1, ·, O, I]. */
const kernelSpectrum = (g: OnnxGraph, { input, output, kernel }: Plan, w: Value): Value =>
  g.once(`spectrum ${input.matrices} ${w}`, () => {
    const rows = g.emit('Reshape', [w, g.ints([-1, kernel[0].length])]);
    const flat = g.emit('Gemm', [g.matrix(kernel), rows], { transB: 1 });
    const [down, , across] = spectrum(input, 1);
    return g.emit('Reshape', [flat, g.ints([down, 1, across, output.channels, input.channels])]);
  });

const product = 'com.microsoft::FusedMatMul';

/** The formulation of these algorithms, one for each axis. */
export const bilinear = (choice: AxisChoice): Formulation => ({
  forward(g, at, x, w, bias) {
    const plan = planOf(g, at, choice);
    const v = spread(g, plan.input, x, plan.batch);
    const m = g.emit(product, [v, kernelSpectrum(g, plan, w)], { transB: 1 });
    return gather(g, plan.output, m, plan.batch, bias);
  },

  inputGrad(g, at, dy, w) {
    const plan = planOf(g, at, choice);
    const dm = spread(g, plan.output, dy, plan.batch);
    const dv = g.emit('MatMul', [dm, kernelSpectrum(g, plan, w)]);
    return gather(g, plan.input, dv, plan.batch);
  },

  weightGrad(g, at, x, dy) {
    const plan = planOf(g, at, choice);
    const v = spread(g, plan.input, x, plan.batch);
    const dm = spread(g, plan.output, dy, plan.batch);
    const byTileRow = g.emit(product, [dm, v], { transA: 1 });
    const [, tileRows] = spectrum(plan.input, plan.batch);
    const du =
      tileRows === 1 ? byTileRow : g.emit('ReduceSum', [byTileRow, g.ints([1])], { keepdims: 0 });
    const flat = g.emit('Reshape', [du, g.ints([plan.kernel.length, -1])]);
    const dw = g.emit('Gemm', [flat, g.matrix(plan.kernel)], { transA: 1 });
    return g.emit('Reshape', [dw, g.ints([at.y[1], at.x[1], ...at.kernel])]);
  },
});
