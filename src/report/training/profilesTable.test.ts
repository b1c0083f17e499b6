import { expect, test } from 'vitest';
import { recipe } from '../../train/settings/trainingSettings.ts';
import { profilesTable } from './profilesTable.ts';

test('columns are aligned, and what a run does not use is left blank', () => {
  const lines = profilesTable([
    { name: 'plain', settings: recipe },
    {
      name: 'averaged',
      settings: { ...recipe, dataset: 'cifar100', swa: true },
      published: { mean: 74.3, sd: 0.2 },
    },
  ]);
  expect(lines).toEqual([
    'profile   dataset   epochs  lr    wd      swa from  swa lr  published %',
    'plain     cifar10   200     0.05  0.0005',
    'averaged  cifar100  200     0.05  0.0005  161       0.01    74.30 ± 0.20',
  ]);
});

test('a narrow terminal has the whole names, and what it has no room for is said', () => {
  const name = 'preresnet110-cifar100-1.25budget';
  const published = { mean: 78.91, sd: 0.29 };
  const lines = profilesTable([{ name, settings: { ...recipe, swa: true }, published }], 60);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines[1]).toMatch(/^preresnet110-cifar100-1\.25budget .* 78\.91 ± 0\.29$/);
  expect(lines.at(-1)).toBe('(no room here for dataset, lr, wd, swa from, swa lr)');
});
