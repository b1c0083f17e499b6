import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leftOf } from './numbers.ts';
import { numbersFrom } from './testdata/suspects.ts';

/** Where the errors lie: the early ones decide whether the rest is looked at. */
const placed = fc.constantFrom('first', 'last', 'everywhere', 'one');

it('looks no further only where no further element could make it fit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.double({ min: -9, max: -0.3, noNaN: true }),
      fc.double({ min: 0.01, max: 1.5, noNaN: true }),
      placed,
      fc.nat(),
      (n, logLimit, share, where, seed) => {
        const truth = numbersFrom(seed, n);
        const unit = Math.sqrt(truth.reduce((sum, x) => sum + x * x, 0) / n);
        const limit = 10 ** logLimit;
        const raw = numbersFrom(seed + 1, n).map((x, i) => {
          if (where === 'first') return i < n / 50 + 1 ? x : 0;
          if (where === 'last') return i > n - n / 50 - 2 ? x : 0;
          return where === 'one' ? (i === seed % n ? 1 : 0) : x;
        });
        const size = Math.sqrt(raw.reduce((sum, x) => sum + x * x, 0) / n);
        const candidate = truth.map((x, i) => x + (raw[i] / size) * share * limit * unit);
        const squares = candidate.reduce((sum, x, i) => sum + (x - truth[i]) ** 2, 0);
        const exact = Math.sqrt(squares / n) / unit;
        const left = leftOf({ truth, unit, limit }, (i) => candidate[i]);
        if (exact <= limit) expect(left).toBe(exact);
        else expect(left).toBeGreaterThan(limit);
      },
    ),
    { numRuns: 300 },
  );
});

it('is infinite where a candidate is NaN early on, and never within a limit', () => {
  const truth = numbersFrom(1, 100);
  const given = { truth, unit: 1, limit: 1e-6 };
  expect(leftOf(given, (i) => (i === 3 ? Number.NaN : truth[i]))).toBe(Number.POSITIVE_INFINITY);
  expect(leftOf(given, (i) => (i === 99 ? Number.NaN : truth[i]))).not.toBeLessThanOrEqual(1e-6);
});
