import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { cosineDistance, directionErrors } from './cosine.ts';
import { measureNames, measures } from './measures.ts';

const float64 = (values: readonly number[]): Tensor<'float64'> =>
  tensor('float64', [values.length], Float64Array.from(values)) as Tensor<'float64'>;

const tolerance = { rtol: 1e-3, atol: 1e-2 };

const number = fc.oneof(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.constantFrom(0, -0, 1, 1e-300, 1e200),
);
const pair = fc
  .array(fc.tuple(number, number), { minLength: 1, maxLength: 20 })
  .map((rows) => [0, 1].map((side) => float64(rows.map((row) => row[side]))) as [Tensor, Tensor]);

describe('every measure', () => {
  it.each(measureNames)('%s is nothing between equal arrays', (name) => {
    fc.assert(
      fc.property(pair, ([a]) => {
        expect(measures[name].value(a, a, tolerance)).toBe(0);
        expect([...measures[name].errors(a, a, tolerance)].every((e) => e === 0)).toBe(true);
      }),
    );
  });

  it.each(measureNames)('%s beyond a threshold has an element beyond what is allowed', (name) => {
    const { value, errors, allowed } = measures[name];
    fc.assert(
      fc.property(pair, fc.double({ min: 1e-9, max: 10, noNaN: true }), ([a, b], threshold) => {
        // A rounding away from the threshold, which sums do not resolve.
        fc.pre(value(a, b, tolerance) > threshold * (1 + 1e-9));
        const most = allowed(threshold, b);
        expect([...errors(a, b, tolerance)].some((e) => !(e <= most))).toBe(true);
      }),
    );
  });
});

describe('cosine', () => {
  const angle = fc.double({ min: 1e-12, max: Math.PI, noNaN: true });
  const size = fc.constantFrom(1, 3, 1e-320, 1e300);

  it('is 1 - cos of an angle, however small it is and however long the arrays', () => {
    fc.assert(
      fc.property(angle, size, size, (t, p, q) => {
        const found = cosineDistance(float64([p, 0]), float64([q * Math.cos(t), q * Math.sin(t)]));
        // 1e-320 has few digits itself.
        const digits = q < 1e-300 ? 1e-2 : 1e-12;
        const exact = 2 * Math.sin(t / 2) ** 2;
        if (q >= 1e-300 || t > 0.1)
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(digits * exact + 1e-30);
      }),
    );
  });

  it('of zeros is 0, of a zero and something 1, whichever is which', () => {
    const [zero, some] = [float64([0, -0]), float64([1e-320, 0])];
    expect(cosineDistance(zero, zero)).toBe(0);
    expect(cosineDistance(zero, some)).toBe(1);
    expect(cosineDistance(some, zero)).toBe(1);
    expect(cosineDistance(some, float64([-1, 0]))).toBe(2);
    const errors = directionErrors(zero, some);
    expect((errors[0] ** 2 + errors[1] ** 2) / 2).toBeCloseTo(1, 15);
  });

  it('is the same for an array made longer', () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: -20, max: 20 }), ([a, b], k) => {
        const longer = float64([...(a.data as Float64Array)].map((x) => x * 2 ** k));
        fc.pre([...longer.data].every((x, i) => x / 2 ** k === a.data[i]));
        expect(cosineDistance(longer, b)).toBeCloseTo(cosineDistance(a, b), 12);
      }),
    );
  });
});

describe('allclose', () => {
  it('passes just where |a - b| is within atol + rtol |b|, to the last bit', () => {
    const edges = fc.tuple(
      number,
      fc.constantFrom(0, 1e-8, 1e-5, 0.5),
      fc.constantFrom(0, 1e-8, 2),
    );
    fc.assert(
      fc.property(edges, fc.boolean(), ([b, rtol, atol], more) => {
        const allowed = atol + rtol * Math.abs(b);
        const ulp = allowed * 2 ** -52;
        const off = more ? allowed + ulp : allowed;
        // |a - b| as it is rounded, not as it was meant.
        const a = b + off;
        const value = measures.allclose.value(float64([a]), float64([b]), { rtol, atol });
        expect(value <= 1).toBe(Math.abs(a - b) <= allowed);
      }),
    );
  });
});
