import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type KeptPoints, openKeptPoints } from './keptPoints.ts';
import type { Measured } from './measure.ts';
import type { PlacedWeights } from './places.ts';
import { survey } from './survey.ts';

const dir = mkdtempSync(join(tmpdir(), 'kept-points-'));
afterAll(() => rmSync(dir, { recursive: true }));

const settings = { model: 'VGG16BN', '--samples': 64 };

const point = (trainLoss: number): Measured => ({
  trainLoss,
  trainWrong: 3,
  testLoss: 0.1 + 0.2,
  testWrong: 4,
  norm: 12.5,
});

const points = [1.5, Number.NaN, Number.POSITIVE_INFINITY, 5e-324]
  .map(point)
  // Weights that overflowed have an infinite norm.
  .map((one, i) => (i === 2 ? { ...one, norm: Number.POSITIVE_INFINITY } : one));

function filled(name: string): string {
  const path = join(dir, name);
  rmSync(path, { force: true });
  const kept = openKeptPoints(path, settings);
  for (const one of points) kept.add(one);
  return path;
}

describe('points of a landscape under way', () => {
  test('are read back to the bit, what is not finite too', () => {
    const path = filled('whole.jsonl');
    const before = readFileSync(path);
    expect(openKeptPoints(path, settings).points).toEqual(points);
    expect(readFileSync(path)).toEqual(before);
  });

  test('go on before a line that was cut off anywhere', () => {
    const path = filled('torn.jsonl');
    const whole = readFileSync(path);
    const last = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let length = last; length < whole.length; length++) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const kept = openKeptPoints(path, settings);
      expect(kept.points).toEqual(points.slice(0, 3));
      kept.add(points[3]);
      expect(readFileSync(path)).toEqual(whole);
    }
  });

  test('begin anew where even the settings were cut off', () => {
    const path = filled('head.jsonl');
    truncateSync(path, 20);
    expect(openKeptPoints(path, settings).points).toEqual([]);
  });

  test.each([
    [
      { ...settings, '--samples': 32 },
      'was started with --samples 64, not with --samples 32; give the same',
    ],
    [{ ...settings, '--seed': 1 }, 'was started without --seed, not with --seed 1;'],
    [{ model: 'VGG16BN' }, 'was started with --samples 64, not without --samples;'],
  ])('are not mixed with those of other settings (%j)', (other, message) => {
    const path = filled('other.jsonl');
    const before = readFileSync(path);
    expect(() => openKeptPoints(path, other as typeof settings)).toThrow(`${path}: ${message}`);
    expect(readFileSync(path)).toEqual(before);
  });

  test.each([
    ['a line of them', (text: string) => text.replace('"norm":12.5', '"norm":"x"'), ', line 2'],
    ['the head', (text: string) => text.replace('points/1', 'points/0'), ''],
    ['all', () => 'hello\n', ''],
  ])('that are damaged (%s) are named and left alone', (_, damage, where) => {
    const path = filled('damaged.jsonl');
    const damaged = damage(readFileSync(path, 'utf8'));
    writeFileSync(path, damaged);
    expect(() => openKeptPoints(path, settings)).toThrow(
      `${path}${where}: holds no points of a landscape, or is damaged; give another --out`,
    );
    expect(readFileSync(path, 'utf8')).toBe(damaged);
  });
});

test('a survey measures what is not kept, in order, and keeps each point before the next', async () => {
  const places: PlacedWeights[] = [0, 1, 2, 3].map((distance) => ({
    at: { distance },
    weights: () =>
      new Map([['w', { dtype: 'float32', shape: [1], data: Float32Array.of(distance) }]]),
  }));
  const added: Measured[] = [];
  const kept: KeptPoints = { points: [point(10)], add: (one) => added.push(one) };
  const told: string[] = [];
  const found = await survey(
    places,
    kept,
    async (weights) => {
      const [at] = weights.get('w')!.data;
      expect(added).toHaveLength(at - 1);
      return point(at);
    },
    { tell: ({ done, total }) => told.push(`${done}/${total}`) },
  );
  expect(told).toEqual(['2/4', '3/4', '4/4']);
  expect(added).toEqual([1, 2, 3].map(point));
  expect(found.map(({ at, measured }) => [at.distance, measured.trainLoss])).toEqual([
    [0, 10],
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});
