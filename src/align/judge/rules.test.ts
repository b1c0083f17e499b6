import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { gather, momentsOf, samplePositions } from '../reference/samplePositions.ts';
import type { TensorRule } from './expectation.ts';
import { judge } from './judge.ts';
import { judgeBy } from './rules.ts';
import { passed } from './verdict.ts';

const float32 = (values: readonly number[]): Tensor =>
  tensor('float32', [values.length], Float32Array.from(values));
const float64 = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));
const int64 = (values: readonly bigint[]): Tensor =>
  tensor('int64', [values.length], BigInt64Array.from(values));

const findingOf = (found: Tensor, rule: TensorRule) => judgeBy(found, rule).finding;
const passes = (found: Tensor, rule: TensorRule): boolean => passed(findingOf(found, rule));
const equalTo = (to: Tensor): TensorRule => ({ kind: 'equality', to, what: 'rows' });

describe('equality', () => {
  it('knows integers to the last digit, whose float64 is the same', () => {
    const large = fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n });
    fc.assert(
      fc.property(large, fc.constantFrom(-1n, 1n), (x, by) => {
        expect(passes(int64([1n, x]), equalTo(int64([1n, x])))).toBe(true);
        expect(passes(int64([1n, x]), equalTo(int64([1n, x + by])))).toBe(false);
      }),
    );
  });

  it('counts rows that differ, rows that are missing and rows too many, and names the first', () => {
    const table = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 8,
    });
    const rows = (of: readonly (readonly number[])[]): Tensor =>
      tensor('uint8', [of.length, 2], Uint8Array.from(of.flat()));
    fc.assert(
      fc.property(table, table, (a, b) => {
        const rule: TensorRule = {
          kind: 'equality',
          to: rows(b),
          what: 'rows',
          row: (i) => `row ${i}`,
        };
        const [check] = findingOf(rows(a), rule).checks;
        const longest = Math.max(a.length, b.length);
        const wrong = Array.from({ length: longest }, (_, i) => i).filter(
          (i) => a[i]?.join() !== b[i]?.join(),
        );
        expect(check.value).toBe(wrong.length);
        expect(check.passed).toBe(wrong.length === 0);
        if (wrong.length > 0) expect(`${check.note},`).toContain(`row ${wrong[0]},`);
      }),
    );
  });

  it('is not of NaN with itself, nor of one type with another', () => {
    expect(passes(float32([1, Number.NaN]), equalTo(float32([1, Number.NaN])))).toBe(false);
    expect(passes(int64([1n]), equalTo(float32([1])))).toBe(false);
    expect(passes(float32([1]), equalTo(int64([1n])))).toBe(false);
    expect(passes(float32([1]), equalTo(float64([1])))).toBe(false);
  });
});

describe('a backend that holds float64', () => {
  const third: Tensor = float64([1 / 3, 2, 5]);
  const to = float32([1 / 3, 2, 5]);
  const rules: TensorRule[] = [
    equalTo(to),
    { kind: 'distance', method: 'mean', to, threshold: 0 },
    { kind: 'distance', method: 'relative l2', to, threshold: 0 },
    { kind: 'ulp', to, scales: Float64Array.of(1, 2, 5), threshold: 0 },
    {
      kind: 'float64',
      record: { pytorch: to, truth: third },
      tolerance: { relativeL2: 1e-6 },
    },
  ];

  it.each(rules.map((rule) => [rule.kind, rule] as const))(
    'is judged by %s against a float32',
    (_, rule) => {
      expect(passes(third, rule)).toBe(true);
      expect(passes(float64([1 / 3, 2, 5.1]), rule)).toBe(false);
      expect(passes(float64([1 / 3, 2, Number.NaN]), rule)).toBe(false);
      expect(passes(float64([1 / 3, 2]), rule)).toBe(false);
    },
  );
});

describe('units of the last place', () => {
  it('are those of the largest term, to either side, in the worst element', () => {
    const scales = fc.tuple(
      fc.integer({ min: -60, max: 60 }),
      fc.double({ min: 1, max: 1.99, noNaN: true }),
    );
    fc.assert(
      fc.property(scales, fc.integer({ min: -9, max: 9 }), ([exponent, share], steps) => {
        const scale = share * 2 ** exponent;
        const rule: TensorRule = {
          kind: 'ulp',
          to: float32([0, 0]),
          scales: Float64Array.of(1e30, scale),
          threshold: 4,
        };
        const [check] = findingOf(float32([0, steps * 2 ** (exponent - 23)]), rule).checks;
        expect(check.value).toBe(Math.abs(steps));
        expect(check.passed).toBe(Math.abs(steps) <= 4);
      }),
    );
  });
});

describe('the element that is named', () => {
  const size = 20_000;
  const values = Array.from({ length: size }, (_, i) => Math.sin(i) + 0.1);
  const whole = tensor('float64', [100, 200], Float64Array.from(values));
  const positions = samplePositions(size, 4096);
  const truth = gather(whole, positions);
  const pytorch = {
    ...truth,
    dtype: 'float32',
    data: Float32Array.from(truth.data as Float64Array),
  };
  const rule: TensorRule = {
    kind: 'float64',
    record: { pytorch: pytorch as Tensor, truth, moments: momentsOf(whole) },
    tolerance: { relativeL2: 5e-6 },
  };
  const changedAt = (at: number): Tensor => {
    const data = Float64Array.from(values);
    data[at] += 1;
    return tensor('float64', [100, 200], data);
  };

  it('is one of the sample', () => {
    const at = positions[1234];
    const { worst } = findingOf(changedAt(at), rule);
    expect(worst).toMatchObject({ index: [Math.floor(at / 200), at % 200], beyond: 1, of: 4096 });
    expect(worst?.ours).toBeCloseTo(values[at] + 1, 6);
    expect(worst?.truth).toBe(values[at]);
  });

  it('is none where only what was not recorded can be wrong', () => {
    const sampled = new Set(positions);
    const finding = findingOf(changedAt(values.findIndex((_, i) => !sampled.has(i))), rule);
    expect(finding.checks.filter((c) => !c.passed).map((c) => c.method)).toEqual(['moments']);
    expect(finding.worst).toBeUndefined();
  });
});

describe('an error whose limit is known beforehand', () => {
  const limit = { value: 1e-3, why: 'as far as it may' };
  const values = Float64Array.from({ length: 20_000 }, (_, i) => Math.sin(i) + 2);
  const truth = tensor('float64', [values.length], values);
  const positions = samplePositions(values.length, 4096);
  const picked = gather(truth, positions);
  const record = {
    pytorch: tensor('float32', picked.shape, Float32Array.from(picked.data as Float64Array)),
    truth: picked,
    moments: momentsOf(truth),
  };
  const hidden = values.findIndex((_, i) => !positions.includes(i));
  const off = (at: number, by: number): Tensor =>
    tensor('float64', truth.shape, values.with(at, values[at] + by));
  const norm = Math.hypot(...values);

  it('passes up to that limit, by the larger of two errors where sample and whole are known', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2000, max: 2000 }), fc.boolean(), (thousandths, seen) => {
        const share = thousandths / 1000;
        const found = off(seen ? positions[7] : hidden, share * limit.value * norm);
        const whole = findingOf(found, { kind: 'relative', record, truth, limit });
        const sample = findingOf(found, { kind: 'relative', record, limit });
        expect(sample.checks[0].value === 0).toBe(!seen || share === 0);
        const least = Math.abs(share) * limit.value;
        expect(whole.checks[0].value).toBeGreaterThanOrEqual(least * (1 - 1e-6));
        expect(whole.checks[0].note).toBe(limit.why);
        if (Math.abs(share) > 1.001) expect(passed(whole)).toBe(false);
        if (!seen && Math.abs(share) < 0.999) expect(passed(whole)).toBe(true);
        expect(passed(whole)).toBe(whole.checks[0].value <= limit.value);
      }),
    );
  });

  it('is never passed by NaN, where a sample shows it or the whole alone', () => {
    const rule: TensorRule = { kind: 'relative', truth, limit };
    expect(passes(off(hidden, Number.NaN), rule)).toBe(false);
    expect(passes(off(positions[7], Number.NaN), { ...rule, record })).toBe(false);
    expect(passes(off(hidden, Number.NaN), { ...rule, record })).toBe(false);
  });
});

it('what cannot be measured fails and says why, whether something was recorded or not', () => {
  const expected = [{ name: 'x', rule: { kind: 'refusal', problem: 'it is text' } as const }];
  for (const recording of [new Map(), new Map([['x', float32([1])]])]) {
    const { verdicts } = judge({ recording }, expected);
    expect(verdicts).toEqual([{ name: 'x', checks: [], problem: 'it is text' }]);
    expect(verdicts.map(passed)).toEqual([false]);
  }
});

it('the sides are called as they are told to be', () => {
  const rule = { kind: 'distance', method: 'mean', to: float32([1]), threshold: 0 } as const;
  const sides = { ours: "A's", theirs: "B's" };
  const recording = new Map([['a', float32([1])]]);
  const { verdicts } = judge({ recording, sides }, [{ name: 'b', rule }]);
  expect(verdicts.map(({ problem }) => problem)).toEqual([
    "missing on A's side",
    "missing on B's side",
  ]);
});
