import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AxisMatrix,
  bothAxes,
  inputAxis,
  kernelMatrix,
  outputAxis,
} from './winogradMatrices.ts';

type Matrix = readonly (readonly number[])[];

const apply = (m: Matrix, x: readonly number[]): number[] =>
  m.map((row) => row.reduce((sum, a, i) => sum + a * x[i], 0));

const transposed = (m: Matrix): number[][] => m[0].map((_, j) => m.map((row) => row[j]));

/** A map through the three transforms, frequency by frequency; one channel, one image. */
function byTiles(x: number[], w: number[], input: [AxisMatrix, AxisMatrix], out: [number, number]) {
  const v = apply(bothAxes(...input), x);
  const u = apply(kernelMatrix, w);
  const tiles = v.length / u.length;
  const m = v.map((value, i) => value * u[Math.floor(i / tiles)]);
  return apply(transposed(bothAxes(outputAxis(out[0]), outputAxis(out[1]))), m);
}

/** The same by definition. */
function byWindow(x: number[], w: number[], [h, wide]: [number, number], padding: number) {
  const at = (i: number, j: number): number =>
    i < 0 || j < 0 || i >= h || j >= wide ? 0 : x[i * wide + j];
  const y: number[] = [];
  for (let i = 0; i < h + 2 * padding - 2; i++) {
    for (let j = 0; j < wide + 2 * padding - 2; j++) {
      y.push(
        w.reduce(
          (s, k, t) => s + k * at(i + Math.floor(t / 3) - padding, j + (t % 3) - padding),
          0,
        ),
      );
    }
  }
  return y;
}

const geometry = fc
  .record({
    h: fc.integer({ min: 1, max: 7 }),
    w: fc.integer({ min: 1, max: 7 }),
    padding: fc.integer({ min: 0, max: 2 }),
  })
  .filter(({ h, w, padding }) => Math.min(h, w) + 2 * padding >= 3);

describe('the matrices of F(2×2, 3×3)', () => {
  it('compute a convolution, without rounding on whole numbers', () => {
    const whole = fc.integer({ min: -1000, max: 1000 });
    const cases = geometry.chain(({ h, w, padding }) =>
      fc.record({
        size: fc.constant<[number, number]>([h, w]),
        padding: fc.constant(padding),
        x: fc.array(whole, { minLength: h * w, maxLength: h * w }),
        kernel: fc.array(whole, { minLength: 9, maxLength: 9 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ size, padding, x, kernel }) => {
        const out: [number, number] = [size[0] + 2 * padding - 2, size[1] + 2 * padding - 2];
        const input: [AxisMatrix, AxisMatrix] = [
          inputAxis(size[0], out[0], padding),
          inputAxis(size[1], out[1], padding),
        ];
        const same = byTiles(x, kernel, input, out).map(
          (v, i) => v - byWindow(x, kernel, size, padding)[i],
        );
        expect(same.every((d) => d === 0)).toBe(true);
      }),
    );
  });

  it('takes sixteen products for four results', () => {
    const size = 8;
    const rows = bothAxes(inputAxis(size, size, 1), inputAxis(size, size, 1));
    expect(rows.length / size ** 2).toBe(16 / 4);
    expect(kernelMatrix.length).toBe(16);
  });
});
