import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manualSeed } from '../../torch/generator.ts';
import { normal } from '../../torch/normal.ts';
import { level, paired, relevant, welch } from './tTests.ts';

const a = [63.1, 64, 62.2];
const b = [63.9, 65.2, 64.4];

test("Welch's t as scipy.stats.ttest_ind(equal_var=False) has it (SciPy 1.17.1)", () => {
  const found = welch(a, b)!;
  expect(found.t).toBeCloseTo(-2.1775985589338913, 12);
  expect(found.df).toBeCloseTo(3.6565992865636225, 12);
  expect(found.p).toBeCloseTo(0.10139767435372606, 10);
  expect(found.difference).toBeCloseTo(-1.4, 12);
});

test('the paired t as scipy.stats.ttest_rel has it (SciPy 1.17.1)', () => {
  const found = paired(a.map((x, i) => x - b[i]))!;
  expect(found.t).toBeCloseTo(-3.3626912299068215, 12);
  expect(found.df).toBe(2);
  expect(found.p).toBeCloseTo(0.07820230925709144, 10);
});

test('one value on a side, or no spread at all, is no test', () => {
  expect(welch([1], [2, 3])).toBeUndefined();
  expect(welch([1, 1], [2, 2])).toBeUndefined();
  expect(welch([1, 1], [2, 3])?.df).toBe(1);
  expect(paired([1])).toBeUndefined();
  expect(paired([2, 2, 2])).toBeUndefined();
  // What averaging and subtracting round is no spread.
  expect(welch([50.05, 50.05, 50.05], [51.05, 51.05, 51.05])).toBeUndefined();
  expect(paired([63.41 - 63.31, 63.97 - 63.87, 64.2 - 64.1])).toBeUndefined();
});

const sample = fc.array(fc.double({ min: 40, max: 100, noNaN: true }), {
  minLength: 2,
  maxLength: 6,
});

test('what is exchanged changes sign, what is moved or scaled changes nothing else', () => {
  fc.assert(
    fc.property(sample, sample, (x, y) => {
      const found = welch(x, y);
      fc.pre(found !== undefined && found.standardError > 1e-3);
      const turned = welch(y, x)!;
      expect(turned.t).toBeCloseTo(-found!.t, 9);
      expect(turned.p).toBeCloseTo(found!.p, 9);
      expect(turned.power).toBeCloseTo(found!.power, 9);
      const moved = welch(
        x.map((v) => v + 7),
        y.map((v) => v + 7),
      )!;
      expect(moved.p).toBeCloseTo(found!.p, 6);
      const halved = welch(
        x.map((v) => v / 2),
        y.map((v) => v / 2),
      )!;
      expect(halved.p).toBeCloseTo(found!.p, 9);
      expect(halved.power).toBeGreaterThanOrEqual(found!.power - 1e-9);
    }),
    { numRuns: 25 },
  );
});

describe('in samples that are drawn', () => {
  const g = manualSeed(1);
  const drawn = (n: number, mean: number, sd: number): number[] => {
    const values = { dtype: 'float32', shape: [n], data: new Float32Array(n) } as const;
    normal(g, values.data, mean, sd);
    return [...values.data];
  };

  // Of 200 tests at 0.05 there are 10 ± 3; and a difference of a point is found as often as its power says.
  test('p is below the level as often as the level says, and finds a point as often as the power', () => {
    const runs = 200;
    let [none, found] = [0, 0];
    const sd = 0.5;
    for (let i = 0; i < runs; i++) {
      const other = drawn(4, 70, sd);
      if (welch(drawn(4, 70, sd), other)!.p < level) none += 1;
      if (welch(drawn(4, 70 + relevant, sd), other)!.p < level) found += 1;
    }
    expect(none / runs).toBeLessThan(0.1);
    expect(none / runs).toBeGreaterThan(0.005);
    // Two samples of 4 of that spread: standard error 0.354, shift 2.83, 6 degrees of freedom; 0.66.
    expect(found / runs).toBeGreaterThan(0.56);
    expect(found / runs).toBeLessThan(0.74);
  });
});
