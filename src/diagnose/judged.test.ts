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
