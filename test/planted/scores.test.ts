import { expect, test } from 'vitest';
import { plantedPage } from './page.ts';
import { type PlantedRow, scoresOf } from './scores.ts';

const row = (more: Partial<PlantedRow> = {}): PlantedRow => ({
  family: 'layers',
  name: 'a bias forgotten',
  people: 'copy weights only',
  stage: 'vgg16 forward',
  at: 'classifier.1',
  right: true,
  reads: 'the bias is missing',
  told: 'its bias is missing',
  cause: 'right',
  seconds: 1,
  ...more,
});

const many = (n: number, more: Partial<PlantedRow> = {}): PlantedRow[] =>
  Array.from({ length: n }, () => row(more));

const untold = { told: undefined, cause: undefined };

const missed = (rows: readonly PlantedRow[]): string[] =>
  scoresOf(rows).flatMap(({ text, missed: goal }) => (goal === undefined ? [] : [text]));

test('every row is caught, named and explained, or is not', () => {
  const rows = [
    ...many(92),
    ...many(2, { told: '2 × the reference', cause: 'wrong' }),
    ...many(5, untold),
    row({ ...untold, stage: '', at: '', right: false }),
  ];
  expect(scoresOf(rows).map(({ text }) => text)).toEqual([
    'caught: 99 of 100, 99 %',
    'layer or decision right: 99 of 100, 99 %',
    'cause right: 92 of 100, 92 %',
    'another cause told: 2 of 100, 2 %',
    'no cause told: 6 of 100, 6 %',
  ]);
  expect(missed(rows)).toEqual(['caught: 99 of 100, 99 %']);
});

test.each([
  ['three of a hundred misnamed', many(3, { right: false }), []],
  ['four', many(4, { right: false }), ['layer or decision right: 96 of 100, 96 %']],
  ['a quarter not explained', many(25, untold), []],
  ['one more', many(26, untold), ['cause right: 74 of 100, 74 %']],
  ['three explained otherwise', many(3, { cause: 'wrong' }), []],
  ['four explained otherwise', many(4, { cause: 'wrong' }), ['another cause told: 4 of 100, 4 %']],
] as const)('goals: %s', (_, rows, goals) => {
  expect(missed([...rows, ...many(100 - rows.length)])).toEqual(goals);
});

test('of no rows no goal is met that asks for some', () => {
  expect(missed([])).toHaveLength(4);
});

test('the page says what is told, and where it is another cause', () => {
  const page = plantedPage([
    row(),
    row({ told: 'a | b', toldOf: 'loss', cause: 'wrong' }),
    row(untold),
    row({ ...untold, stage: '', at: '', right: false }),
  ]);
  const lines = page.split('\n').filter((line) => line.startsWith('| a bias'));
  expect(lines.map((line) => line.split(' | ').slice(2).join(' | '))).toEqual([
    'vgg16 forward | `classifier.1` | the bias is missing | its bias is missing |',
    'vgg16 forward | `classifier.1` | the bias is missing | **another:** a \\| b (of `loss`) |',
    'vgg16 forward | `classifier.1` | the bias is missing | – |',
    '**nothing** |  | the bias is missing | – |',
  ]);
  expect(page).toContain('- caught: 3 of 4, 75 %');
});
