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
