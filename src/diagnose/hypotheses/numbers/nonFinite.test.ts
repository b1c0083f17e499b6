import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { softmax } from '../../recompute/functions.ts';
import { bell, causeOf, type Planted } from '../../testdata/told.ts';

const shape = [4, 5];
const size = 20;
const runs = { numRuns: 40 };

const of = (x: ArrayLike<number>, truth: ArrayLike<number>, ours: ArrayLike<number>): Planted[] => [
  { name: 'x', shape, kind: 'input', truth: x },
  { name: 'head.output', shape, kind: 'output', truth, ours, from: ['x'] },
];

/** log(exp(x) / Σ exp(x)) in float32, as it stands there. */
function naive(x: ArrayLike<number>): Float32Array {
  const e = Float32Array.from(x, Math.exp);
  const [, columns] = shape;
  return e.map((v, i) => {
    const first = i - (i % columns);
    const sum = Math.fround(e.slice(first, first + columns).reduce((a, b) => a + b, 0));
    return Math.log(v / sum);
  });
}

describe('NaN and infinity', () => {
  it('where exp overflows', () => {
    fc.assert(
      fc.property(bell(size), fc.integer({ min: 0, max: size - 1 }), (x, at) => {
        const logits = x.map((v, i) => (i === at ? 100 : v));
        const truth = softmax(Float64Array.from(logits), shape, 1, true);
        expect(causeOf(of(logits, truth, naive(logits)))).toMatch(
          /^NaN or infinity where exp\(x\) overflows/,
        );
      }),
      runs,
    );
  });

  it('where an input is negative, or the reference is beyond float16', () => {
    fc.assert(
      fc.property(bell(size), (x) => {
        const input = x.map((v, i) => (i === 0 ? -1 : v));
        const roots = Float64Array.from(input, (v) => Math.sqrt(Math.abs(v)));
        const ours = Float64Array.from(input, Math.sqrt);
        expect(causeOf(of(input, roots, ours))).toBe(
          'NaN where x is negative: of a root or a logarithm',
        );
        const large = input.map((v) => v * 1e5);
        const most = Math.max(...large.map(Math.abs));
        const halves = large.map((v) => (Math.abs(v) > 65504 ? Math.sign(v) * Infinity : v));
        const says = causeOf([{ name: 'y', shape, kind: 'output', truth: large, ours: halves }]);
        if (most > 65504) expect(says).toMatch(/float16 overflows$/);
      }),
      runs,
    );
  });

  it('of no reason that is known are told nothing', () => {
    fc.assert(
      fc.property(bell(size), fc.integer({ min: 0, max: size - 1 }), (x, at) => {
        const positive = x.map((v) => Math.abs(v) + 0.1);
        const ours = positive.map((v, i) => (i === at ? Number.NaN : v));
        expect(causeOf(of(positive, positive, ours))).toBeUndefined();
        // Where another element is wrong too, its place is not all that is.
        const negative = positive.map((v, i) => (i === at ? -v : v));
        const wrong = ours.map((v, i) => (i === (at + 1) % size ? v * 2 : v));
        expect(causeOf(of(negative, positive, wrong))).toBeUndefined();
      }),
      runs,
    );
  });
});
