import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AxisAlgorithm, type AxisChoice, bothAxes, kronecker } from './bilinearMatrices.ts';
import { pairsAxis } from './placePairs.ts';
import { winogradAxis } from './winogradMatrices.ts';

type Matrix = readonly (readonly number[])[];

const apply = (m: Matrix, x: readonly number[]): number[] =>
  m.map((row) => row.reduce((sum, a, i) => sum + a * x[i], 0));

const transposed = (m: Matrix): number[][] => m[0].map((_, j) => m.map((row) => row[j]));

interface Geometry {
  readonly h: number;
  readonly w: number;
  readonly padding: number;
  readonly taps: number;
}

/** A map through the three transforms, frequency by frequency; one channel, one image. */
function byFrequencies(x: number[], w: number[], [down, across]: [AxisAlgorithm, AxisAlgorithm]) {
  const v = apply(bothAxes(down.input, across.input), x);
  const u = apply(kronecker(down.kernel, across.kernel), w);
  const tiles = v.length / u.length;
  const m = v.map((value, i) => value * u[Math.floor(i / tiles)]);
  return apply(transposed(bothAxes(down.output, across.output)), m);
}

const results = (size: number, { padding, taps }: Geometry): number =>
  size + 2 * padding - taps + 1;

/** The same by definition. */
function byWindow(x: number[], kernel: number[], geometry: Geometry) {
  const { h, w, padding, taps } = geometry;
  const at = (i: number, j: number): number =>
    i < 0 || j < 0 || i >= h || j >= w ? 0 : x[i * w + j];
  const y: number[] = [];
  for (let i = 0; i < results(h, geometry); i++) {
    for (let j = 0; j < results(w, geometry); j++) {
      y.push(
        kernel.reduce(
          (s, k, t) => s + k * at(i + Math.floor(t / taps) - padding, j + (t % taps) - padding),
          0,
        ),
      );
    }
  }
  return y;
}

const geometries = (taps: fc.Arbitrary<number>): fc.Arbitrary<Geometry> =>
  fc
    .record({
      h: fc.integer({ min: 1, max: 7 }),
      w: fc.integer({ min: 1, max: 7 }),
      padding: fc.integer({ min: 0, max: 2 }),
      taps,
    })
    .filter(({ h, w, padding, taps: k }) => Math.min(h, w) + 2 * padding >= k && padding < k);

describe.each<[string, AxisChoice, fc.Arbitrary<number>]>([
  ['F(2×2, 3×3)', winogradAxis, fc.constant(3)],
  ['pairs of places', pairsAxis, fc.integer({ min: 1, max: 5 })],
])('the matrices of %s', (_, choice, taps) => {
  it('compute a convolution, without rounding on whole numbers', () => {
    const whole = fc.integer({ min: -1000, max: 1000 });
    const several = (n: number): fc.Arbitrary<number[]> =>
      fc.array(whole, { minLength: n, maxLength: n });
    const cases = geometries(taps).chain((geometry) =>
      fc.record({
        geometry: fc.constant(geometry),
        x: several(geometry.h * geometry.w),
        kernel: several(geometry.taps ** 2),
      }),
    );
    fc.assert(
      fc.property(cases, ({ geometry, x, kernel }) => {
        const { h, w, padding } = geometry;
        const axis = (size: number): AxisAlgorithm =>
          choice(size, results(size, geometry), padding, geometry.taps);
        const expected = byWindow(x, kernel, geometry);
        const found = byFrequencies(x, kernel, [axis(h), axis(w)]);
        expect(found.map((v, i) => v - expected[i]).every((d) => d === 0)).toBe(true);
        expect(found.length).toBe(expected.length);
      }),
    );
  });
});

describe('products for each result', () => {
  const count = ({ kernel, input }: AxisAlgorithm): number => (kernel.length * input.tiles) ** 2;

  it('are four by F(2×2, 3×3), where the window takes nine', () => {
    expect(count(winogradAxis(8, 8, 1, 3)) / 8 ** 2).toBe(4);
  });

  it('are as many by pairs on a 2×2 map, and none of them meets the padding', () => {
    expect(count(pairsAxis(2, 2, 1, 3)) / 2 ** 2).toBe(4);
    expect(count(pairsAxis(3, 3, 1, 3))).toBe(7 ** 2);
  });
});
