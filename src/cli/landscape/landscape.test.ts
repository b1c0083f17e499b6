import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { surveyLines } from './makeLandscape.ts';
import { namedPoint } from './solutions.ts';

const dir = mkdtempSync(join(tmpdir(), 'points-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('a point on the command line', () => {
  test.each([
    ['w.npz', { file: 'w.npz' }],
    ['w.npz:swa', { file: 'w.npz', kind: 'swa' }],
    [
      'SGD 36=run/checkpoint-36.safetensors:raw',
      { name: 'SGD 36', file: 'run/checkpoint-36.safetensors', kind: 'raw' },
    ],
    ['C:\\w.npz', { file: 'C:\\w.npz' }],
    ['w.npz:best', { file: 'w.npz:best' }],
    ['runs/lr=0.1/w.npz', { file: 'runs/lr=0.1/w.npz' }],
  ])('%s', (word, point) => {
    expect(namedPoint(word)).toEqual(point);
  });

  test('is a file of that very name where there is one', () => {
    const path = join(dir, 'a=b.npz:raw');
    writeFileSync(path, '');
    expect(namedPoint(path)).toEqual({ file: path });
    expect(namedPoint(`A=${path}`)).toEqual({ name: 'A', file: path });
  });
});

test('progress: the place, the loss, the pace of this run and what is left at it', () => {
  const latest = { trainLoss: 1.23456, trainWrong: 1, testLoss: 1, testWrong: 1, norm: 1 };
  // 30 points came from an earlier run; 20 took 40 seconds; 50 are left.
  const lines = surveyLines('plane', { done: 50, total: 100, latest }, 20, 40);
  expect(lines[0]).toBe(
    'plane [==========          ] 50/100  training loss 1.2346  2.00 s/point  1 min 40 s left',
  );
  expect(lines.at(-1)).toBe('1 min 40 s left');
  const lengths = lines.map(({ length }) => length);
  expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
});
