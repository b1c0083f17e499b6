import { expect, it } from 'vitest';
import type { Expectation } from '../align/judge/expectation.ts';
import { judge } from '../align/judge/judge.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { diagnosedBy } from './judged.ts';
import { numbersFrom } from './testdata/suspects.ts';

const size = 512;

const float32 = (values: Float64Array): Tensor =>
  tensor('float32', [16, 32], Float32Array.from(values));

const expected = (name: string, seed: number): Expectation => {
  const truth = tensor('float64', [16, 32], numbersFrom(seed, size));
  const record = { truth, pytorch: float32(numbersFrom(seed, size)) };
  return { name, rule: { kind: 'float64', record, tolerance: { relativeL2: 1e-6 } } };
};

/** A product of two matrices of which one has the digits of TF32: noise, and nothing else. */
const noisy = (seed: number): Float64Array =>
  numbersFrom(seed, size).map((x, i) => x * (1 + numbersFrom(seed + 50, size)[i] * 2 ** -9));

/** What is said of the second of two tensors; stages do not say what it is computed from. */
function saidOfSecond(first: Float64Array): string | undefined {
  const expectations = [expected('first', 1), expected('second', 2)];
  const recording = new Map([
    ['first', float32(first)],
    ['second', float32(noisy(2))],
  ]);
  const { verdicts } = judge({ recording }, expectations);
  return diagnosedBy(verdicts, [{ recording, expectations }], { foreign: true })[1].cause?.says;
}

it('noise is told where nothing failed before it, and not behind a mistake that may have made it', () => {
  expect(saidOfSecond(numbersFrom(1, size))).toContain('computed in TF32 or float16');
  const mistaken = numbersFrom(1, size).map((x, i) => x * (1 + 0.3 * Math.sin(i / 9)));
  expect(saidOfSecond(mistaken)).toBeUndefined();
});

it('what fails behind a failure that nothing explains has no cause of its own', () => {
  const doubled = numbersFrom(2, size).map((x) => x * 2);
  const said = (first: Float64Array): string | undefined => {
    const expectations = [expected('first', 1), expected('second', 2)];
    const recording = new Map([
      ['first', float32(first)],
      ['second', float32(doubled)],
    ]);
    const { verdicts } = judge({ recording }, expectations);
    const found = diagnosedBy(verdicts, [{ recording, expectations }], { foreign: true });
    return found.find(({ name }) => name === 'second')!.cause?.says;
  };
  expect(said(numbersFrom(1, size))).toContain('2 ×');
  expect(said(numbersFrom(77, size))).toBeUndefined();
});

it('a list of what was decided is not a tensor of which a part is wrong; predictions are', () => {
  const said = (name: string): string | undefined => {
    const list = (values: readonly number[]) =>
      tensor('int64', [values.length], BigInt64Array.from(values, BigInt));
    const right = Array.from({ length: 64 }, (_, i) => (i * 7) % 10);
    const to = list(right);
    // The last eight are others.
    const ours = list(right.map((x, i) => (i < 56 ? x : (x + 3) % 10)));
    const rule = { kind: 'equality', to, what: '64', row: String } as const;
    const expectations: Expectation[] = [{ name, rule }];
    const recording = new Map([[name, ours]]);
    const { verdicts } = judge({ recording }, expectations);
    return diagnosedBy(verdicts, [{ recording, expectations }], { batch: 64 })[0].cause?.says;
  };
  expect(said('samples')).toBeUndefined();
  expect(said('predictions')).toContain('wrong only');
});
