import { expect, test } from 'vitest';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { printed, errors } = commandTest('bench');

const tiny = ['bench', '--narrow', '16', '--batch-size', '2', '--runs', '1', '--warmup', '0'];

test('a backend is timed in each precision that it has', async () => {
  const line = [...tiny, '--backend', 'ort:cpu', '--precision', 'fp32', 'tf32'];
  expect(await run(line)).toBe(0);
  expect(printed.join('').match(/^\| 2 .*$/gm)).toHaveLength(1);
});

test('one that has none of them is refused', async () => {
  expect(await run([...tiny, '--backend', 'ort:cpu', '--precision', 'tf32'])).toBe(2);
  expect(errors).toEqual([
    'swa-align: --precision tf32: ort:cpu cannot compute so; leave it out, or choose --device cuda',
  ]);
  expect(printed).toEqual([]);
});
