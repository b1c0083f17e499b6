import { expect, test } from 'vitest';
import { spreadOf, spreadText } from './statistics.ts';

test('mean and sample standard deviation, by hand', () => {
  // Deviations −2, 0, 2 from 93: (4 + 0 + 4) / 2 = 4.
  expect(spreadOf([91, 93, 95])).toEqual({ n: 3, mean: 93, sd: 2 });
  // Mean 5; squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
  const { mean, sd } = spreadOf([2, 4, 4, 4, 5, 5, 7, 9])!;
  expect(mean).toBe(5);
  expect(sd).toBeCloseTo(Math.sqrt(32 / 7), 15);
});

test('equal values do not vary, one value has no spread, none has no mean', () => {
  expect(spreadOf([7, 7])).toEqual({ n: 2, mean: 7, sd: 0 });
  expect(spreadOf([7])).toEqual({ n: 1, mean: 7 });
  expect(spreadOf([])).toBeUndefined();
});

test('as the paper prints it', () => {
  expect(spreadText(spreadOf([93.1, 93.25, 93.4]))).toBe('93.25 ± 0.15');
  expect(spreadText(spreadOf([93.254]))).toBe('93.25');
  expect(spreadText(undefined)).toBe('–');
});
