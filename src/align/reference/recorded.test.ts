import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { compareRecordings } from '../judge/compareRecordings.ts';
import type { Float64Rule } from '../judge/expectation.ts';
import { byFloat64 } from '../judge/float64.ts';
import { oursAndPyTorch } from '../judge/incomparable.ts';
import { judge as judgeAll } from '../judge/judge.ts';
import { check, passed, type Verdict } from '../judge/verdict.ts';
import { type RecordedTensor, recorded, recordedNames } from './recorded.ts';
import { gather, momentsOf, samplePositions } from './samplePositions.ts';

const float32 = (values: ArrayLike<number>, shape = [values.length]): Tensor<'float32'> =>
  tensor('float32', shape, Float32Array.from(values)) as Tensor<'float32'>;
const float64 = (values: ArrayLike<number>): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

const judged = (
  ours: Tensor,
  record: RecordedTensor,
  tolerance: Float64Rule['tolerance'],
): Verdict => ({
  name: 'w',
  ...byFloat64(ours, { kind: 'float64', record, tolerance }).finding,
});

describe('the unit of the ratio', () => {
  const values = Array.from({ length: 20 }, (_, i) => 1 + i / 300);
  const off = (error: number): Tensor => float32(values.map((x) => x * (1 + error)));
  /** PyTorch's recorded run within a rounding of the truth by luck, we off by 3e-6. */
  const judge = (rounding?: number): Verdict => {
    const arrays = new Map([
      ['f32/w', off(0)],
      ['f64/w', float64(values)],
      ...(rounding === undefined ? [] : [['rounding/w', float32([rounding], [])] as const]),
    ]);
    return judged(off(3e-6), recorded(arrays, 'w')!, { relativeL2: 5e-6 });
  };

  it('is the error of PyTorch’s one recorded run where no other was recorded', () => {
    expect(passed(judge())).toBe(false);
  });

  it('is PyTorch’s largest error in other orders of summation where that is more', () => {
    expect(passed(judge(1e-6))).toBe(true);
    const ratio = judge(1e-6).checks.find(({ method }) => method === 'ratio');
    expect(ratio?.value).toBeCloseTo(3, 1);
    expect(passed(judge(0.5e-6))).toBe(false);
  });

  it('is never a rounding of NaN, and the upper bound holds whatever it is', () => {
    expect(passed(judge(Number.NaN))).toBe(false);
    const far = judged(
      off(3e-5),
      { pytorch: off(0), truth: float64(values), rounding: 1 },
      { relativeL2: 5e-6 },
    );
    expect(passed(far)).toBe(false);
  });
});

describe('sample positions', () => {
  /** SHA-256 of the 4,096 positions as little-endian int32, computed by NumPy in float64. */
  it.each([
    [36864, '176a89148bd757ade06d47759713049cbb6bd2f98acc1a027e6e0b1db9b5c569'],
    [262144, 'd427d8233a4699805b92f475764f581134624b2965ffeb6760ee9425c51107d6'],
    [2359296, 'a16412bcb5bf0c33b5559689f98e2b5ff5cf7faa3c1510f335cdc8bdab5678f4'],
  ])('are NumPy’s for %i elements', (size, digest) => {
    const positions = samplePositions(size, 4096);
    expect(createHash('sha256').update(positions).digest('hex')).toBe(digest);
  });

  it('are distinct and inside for every size above 16,384', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16385, max: 20_000_000 }), (size) => {
        const positions = samplePositions(size, 4096);
        expect(new Set(positions).size).toBe(4096);
        expect(positions.every((p) => p >= 0 && p < size)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

/** A large tensor and its record as the exporter writes it. */
function largeRecord(size: number) {
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) + 0.1);
  const whole = float32(values);
  const positions = samplePositions(size, 4096);
  const { sum, sumOfSquares, min, max } = momentsOf(whole);
  const sample = gather(whole, positions);
  const arrays = new Map<string, Tensor>([
    ['f32/w#sample', sample],
    ['f32/w#stats', float64([sum, sumOfSquares, min, max])],
    ['f64/w#sample', float64(Float64Array.from(sample.data as Float32Array))],
    ['f64/w#stats', float64([sum, sumOfSquares, min, max])],
  ]);
  return { values, arrays, sampled: new Set(positions) };
}

describe('judging against the record', () => {
  const relativeL2 = 5e-6;
  const size = 40_000;
  const { values, arrays, sampled } = largeRecord(size);
  const record = recorded(arrays, 'w')!;
  const judge = (ours: Tensor, of = record): Verdict => judged(ours, of, { relativeL2 });

  it('finds sampled tensors by name', () => {
    expect(recordedNames(arrays, '')).toEqual(['w']);
    expect(record.moments).toBeDefined();
  });

  it('passes what is equal', () => {
    expect(passed(judge(float32(values)))).toBe(true);
  });

  it('notices a changed element, recorded or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: size - 1 }), (at) => {
        const changed = values.slice();
        changed[at] += 1;
        expect(passed(judge(float32(changed))), sampled.has(at) ? 'sampled' : 'unsampled').toBe(
          false,
        );
      }),
    );
  });

  it('fails NaN, Inf, another shape and an empty tensor', () => {
    const withNan = values.slice();
    withNan[0] = Number.NaN;
    expect(judge(float32(withNan)).problem).toContain('NaN');
    withNan[0] = Infinity;
    expect(judge(float32(withNan)).problem).toContain('Infinity');
    const small = { pytorch: float32([1, 2]), truth: float64([1, 2]) };
    expect(judge(float32([1, 2], [2, 1]), small).problem).toContain('shape');
    expect(judge(float32([1, 2, 3]), small).problem).toContain('shape');
    const empty = { pytorch: float32([]), truth: float64([]) };
    expect(judge(float32([]), empty).problem).toContain('nothing');
  });

  it('refuses a reference that is the same everywhere', () => {
    const constant = { pytorch: float32([2, 2, 2]), truth: float64([2, 2, 2]) };
    expect(judge(float32([2, 2, 2]), constant).problem).toContain('proves nothing');
  });

  it('measures a tensor that cancels by the scale it is given', () => {
    const cancelled = { pytorch: float32([1e-9, -2e-9]), truth: float64([1e-17, -1e-17]) };
    const scale = { value: 1e-3, what: 'RMS of its weight' };
    const near = judged(float32([2e-9, 1e-9]), cancelled, { relativeL2, scale });
    expect(passed(near)).toBe(true);
    const far = judged(float32([2e-8, 1e-9]), cancelled, { relativeL2, scale });
    expect(passed(far)).toBe(false);
  });
});

describe('comparing recordings', () => {
  const problems = (a: Record<string, Tensor>, b: Record<string, Tensor>) => {
    const rule = {
      kind: 'measures',
      limits: [{ method: 'mean', threshold: 1e-6 }],
      tolerance: { rtol: 0, atol: 0 },
      sides: oursAndPyTorch,
    } as const;
    const expected = Object.entries(b).map(([name, to]) => ({ name, rule: { ...rule, to } }));
    const { verdicts } = judgeAll({ recording: new Map(Object.entries(a)) }, expected);
    return verdicts.map((v) => [v.name, v.problem, passed(v)]);
  };

  it('names the key that only one side has', () => {
    expect(problems({ a: float32([1]) }, { a: float32([1]), b: float32([1]) })).toEqual([
      ['a', undefined, true],
      ['b', 'missing on our side', false],
    ]);
    expect(problems({ a: float32([1]), c: float32([1]) }, { a: float32([1]) })[1]).toEqual([
      'c',
      "missing on PyTorch's side",
      false,
    ]);
  });

  it('never broadcasts, transposes or converts', () => {
    expect(problems({ a: float32([1]) }, { a: float32([1, 1]) })[0][1]).toContain('shape');
    expect(
      problems({ a: float32([1, 2], [1, 2]) }, { a: float32([1, 2], [2, 1]) })[0][1],
    ).toContain('shape');
    expect(problems({ a: float32([1]) }, { a: float64([1]) })[0][1]).toContain('dtype');
  });

  it('fails when nothing was recorded', () => {
    const none = { tensors: new Map(), unread: new Map(), notes: [] };
    const { verdicts } = compareRecordings(none, none, { methods: ['mean'], threshold: 1 });
    expect(verdicts.map((v) => [v.name, v.problem, passed(v)])).toEqual([
      ['(nothing)', 'nothing recorded', false],
    ]);
  });
});

describe('a check', () => {
  it('never passes NaN, and a verdict without checks never passes', () => {
    expect(check('mean', Number.NaN, 1).passed).toBe(false);
    expect(passed({ checks: [] })).toBe(false);
  });
});
