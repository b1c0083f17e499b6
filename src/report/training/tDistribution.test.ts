import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { criticalT, normalBelow, power, tBelow, twoSided } from './tDistribution.ts';

const digits = 11;
const relative = (found: number, expected: number): number => Math.abs(found / expected - 1);

test.each([
  [-6, 9.865876450376946e-10],
  [-1.5, 0.06680720126885807],
  [0.3, 0.6179114221889526],
  [5, 0.9999997133484281],
])('the normal distribution at %d as scipy.stats.norm.cdf has it (SciPy 1.17.1)', (z, expected) => {
  expect(relative(normalBelow(z), expected)).toBeLessThan(1e-13);
});

test('the normal distribution has no seam where its two forms meet', () => {
  for (const z of [-4, 4]) {
    const slope = Math.exp(-8) / Math.sqrt(2 * Math.PI);
    const step = normalBelow(z + 1e-6) - normalBelow(z - 1e-6);
    expect(relative(step, 2e-6 * slope)).toBeLessThan(1e-6);
  }
});

describe('the t distribution', () => {
  // Closed forms: Cauchy's distribution, and t / √(2 + t²) for two degrees of freedom.
  test('has its closed forms for 1 and 2 degrees of freedom', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        expect(tBelow(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, digits);
        expect(tBelow(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), digits);
      }),
      { numRuns: 50 },
    );
  });

  // Table of upper critical values in the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975.
  test.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [10, 2.228],
    [30, 2.042],
    [100, 1.984],
  ])('with %d degrees of freedom has the critical value of the table, %d', (df, expected) => {
    expect(criticalT(df, 0.05)).toBeCloseTo(expected, 3);
  });

  test.each([
    [1.3, 4, 0.2634515964712241],
    [2.9, 2.7, 0.07096941244570815],
    [12, 3, 0.0012450158007893362],
    [40, 5, 1.8411962171772954e-7],
    [0.1, 200, 0.920444492504321],
  ])('beyond ±%d with %d degrees of freedom as scipy.stats.t has it (SciPy 1.17.1)', (t, df, p) => {
    expect(relative(twoSided(t, df), p)).toBeLessThan(1e-10);
    expect(twoSided(-t, df)).toBe(twoSided(t, df));
  });

  test.each([
    [2.5, 4, 1, 0.8481123997552868],
    [0.7, 2, -1.5, 0.9786394737374023],
    [2.776, 4, 2.8, 0.43632210077807165],
    [-1, 3.3, 0.5, 0.08997974635007894],
    [8, 1, 3, 0.7097771920822544],
    [3, 30, 2, 0.8184879499879596],
    [2, 2.5, 6, 0.0012838709772499076],
  ])(
    'at %d, %d degrees of freedom, shifted by %d, as scipy.stats.nct has it (SciPy 1.17.1)',
    (t, df, shift, expected) => {
      expect(relative(tBelow(t, df, shift), expected)).toBeLessThan(1e-8);
    },
  );

  const df = fc.double({ min: 1, max: 80, noNaN: true });
  const shift = fc.double({ min: -8, max: 8, noNaN: true });
  const t = fc.double({ min: -30, max: 30, noNaN: true });

  test('is mirrored with its shift, rises with t and falls with the shift', () => {
    fc.assert(
      fc.property(
        t,
        df,
        shift,
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        (at, nu, by, step) => {
          const here = tBelow(at, nu, by);
          expect(here + tBelow(-at, nu, -by)).toBeCloseTo(1, digits);
          expect(tBelow(at + step, nu, by)).toBeGreaterThanOrEqual(here - 1e-12);
          expect(tBelow(at, nu, by + step)).toBeLessThanOrEqual(here + 1e-12);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('power', () => {
  test.each([
    [1, 4, 0.1222491520733127],
    [2.8, 2.3, 0.39758063334975924],
    [5, 2, 0.7191805363914986],
    [0.2, 10, 0.05378566515473358],
  ])(
    'for a difference of %d standard errors with %d degrees of freedom, by SciPy 1.17.1',
    (shift, df, expected) => {
      expect(relative(power(shift, df, 0.05), expected)).toBeLessThan(1e-8);
    },
  );

  test('is the level itself where nothing differs, and the same on either side', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 60, noNaN: true }),
        fc.double({ min: 0, max: 6, noNaN: true }),
        fc.double({ min: 0.005, max: 0.2, noNaN: true }),
        (df, shift, level) => {
          expect(power(0, df, level)).toBeCloseTo(level, 9);
          expect(power(-shift, df, level)).toBeCloseTo(power(shift, df, level), digits);
          expect(power(shift, df, level)).toBeGreaterThanOrEqual(level - 1e-9);
        },
      ),
      { numRuns: 15 },
    );
  });
});
