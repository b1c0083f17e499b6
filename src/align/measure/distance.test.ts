import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../tensor/tensor.ts';
import { distances } from './distance.ts';
import { meanAbsFloat32 } from './pairwiseMean.ts';

/** The generator behind the vectors below: Numerical Recipes' LCG, its upper 24 bits as a fraction. */
function fractions(n: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) * 2 ** -24;
  });
}

/** np.abs(a − b).mean() of fractions(n, n) and fractions(n, n + 1), printed by NumPy 2.4.6. */
const numpyMeans: readonly (readonly [number, number])[] = [
  [1, 0.00038754940032958984],
  [5, 0.22926993668079376],
  [7, 0.3731119930744171],
  [8, 0.37217703461647034],
  [9, 0.228091299533844],
  [127, 0.3227328062057495],
  [128, 0.3226467967033386],
  [129, 0.3687130808830261],
  [300, 0.3382994830608368],
  [1000, 0.33985912799835205],
  [4096, 0.33237725496292114],
];

describe('mean absolute difference', () => {
  it.each(numpyMeans)('repeats NumPy to the last bit for %i float32 elements', (n, expected) => {
    expect(meanAbsFloat32(fractions(n, n), fractions(n, n + 1))).toBe(expected);
  });
});

describe('distances', () => {
  const float64 = (...values: number[]) =>
    tensor('float64', [values.length], Float64Array.from(values));

  it('measures by every norm', () => {
    const d = distances(float64(1, 2, 5), float64(1, 2, 3));
    expect(d.meanAbs).toBeCloseTo(2 / 3, 15);
    expect(d.maxAbs).toBe(2);
    expect(d.relativeL2).toBeCloseTo(2 / Math.sqrt(14), 15);
    expect(d.cosine).toBeCloseTo(20 / Math.sqrt(30 * 14), 15);
  });

  it('is infinite, not small, where the truth vanishes', () => {
    expect(distances(float64(1e-30), float64(0)).relativeL2).toBe(Infinity);
    expect(distances(float64(0), float64(0)).relativeL2).toBe(0);
  });

  it('keeps NaN visible in every measure', () => {
    const d = distances(float64(1, Number.NaN, 3), float64(1, 2, 3));
    expect(d.meanAbs).toBeNaN();
    expect(d.maxAbs).toBeNaN();
    expect(d.relativeL2).toBeNaN();
    expect(d.maxUlp).toBe(Infinity);
  });

  it('measures integers exactly, of any width and across the whole range', () => {
    const wide = fc.constantFrom(
      ['int64', -(2n ** 63n), 2n ** 63n - 1n] as const,
      ['uint64', 0n, 2n ** 64n - 1n] as const,
    );
    const pair = wide.chain(([dtype, min, max]) =>
      fc.tuple(
        fc.constant(dtype),
        fc.array(fc.tuple(fc.bigInt({ min, max }), fc.bigInt({ min, max })), { minLength: 1 }),
      ),
    );
    fc.assert(
      fc.property(pair, ([dtype, rows]) => {
        const [a, b] = [0, 1].map((side) => {
          const values = rows.map((row) => row[side]);
          return dtype === 'int64'
            ? tensor('int64', [values.length], BigInt64Array.from(values))
            : tensor('uint64', [values.length], BigUint64Array.from(values));
        });
        const apart = rows.map(([p, q]) => (p < q ? q - p : p - q));
        const largest = apart.reduce((m, d) => (d > m ? d : m));
        const sum = apart.reduce((m, d) => m + d);
        const found = distances(a, b);
        expect(found.maxAbs).toBe(Number(largest));
        const mean = Number(sum) / rows.length;
        expect(Math.abs(found.meanAbs - mean)).toBeLessThanOrEqual(1e-12 * mean);
        expect(found.relativeL2 === 0).toBe(sum === 0n);
      }),
    );
    const [a, b] = [2n ** 62n, 2n ** 62n + 1n].map((n) =>
      tensor('int64', [1], BigInt64Array.of(n)),
    );
    expect(distances(a, b)).toMatchObject({ meanAbs: 1, maxAbs: 1, relativeL2: 2 ** -62 });
  });

  it('of float64 at both ends of its range', () => {
    expect(distances(float64(1e300, 0), float64(0, 1e300)).relativeL2).toBeCloseTo(Math.SQRT2, 12);
    expect(distances(float64(1e308), float64(-1e308))).toMatchObject({
      maxAbs: Infinity,
      relativeL2: 2,
      cosine: -1,
    });
    expect(distances(float64(3e-200), float64(1e-200)).relativeL2).toBeCloseTo(2, 12);
    expect(distances(float64(5e-324), float64(1e-323)).relativeL2).toBe(0.5);
    expect(distances(float64(1e-200, 1), float64(0, 1)).relativeL2).toBeCloseTo(1e-200, 210);
  });

  it('is symmetric in maxAbs and zero only for equal arrays', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, (list) => {
        const a = tensor('float32', [list.length], Float32Array.from(list));
        expect(distances(a, a)).toMatchObject({ meanAbs: 0, maxAbs: 0, relativeL2: 0, maxUlp: 0 });
        const b = tensor(
          'float32',
          [list.length],
          Float32Array.from(list, (x) => x + 1),
        );
        expect(distances(a, b).maxAbs).toBe(distances(b, a).maxAbs);
      }),
    );
  });
});
