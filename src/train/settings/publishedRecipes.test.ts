import { expect, test } from 'vitest';
import { profileSettings } from './profiles.ts';
import { publishedRecipes } from './publishedRecipes.ts';
import { recipe, settingsFrom } from './trainingSettings.ts';

test('every row of the two published tables is a profile that a run accepts', () => {
  const names = Object.keys(publishedRecipes);
  expect(names).toHaveLength(2 * 4 * 4);
  for (const name of names) {
    const { model, dataset, swa } = settingsFrom(profileSettings(name));
    expect(name).toContain(dataset);
    expect(name.endsWith('sgd')).toBe(!swa);
    expect(name.startsWith(model.replace('wideresnet', 'wrn'))).toBe(true);
  }
});

/** The commands of the authors' README, flag by flag. */
test.each([
  ['vgg16-cifar100-sgd', { epochs: 200, lrInit: 0.05, wd: 5e-4, swa: false }],
  [
    'vgg16-cifar100-1.5budget',
    { epochs: 300, lrInit: 0.05, wd: 5e-4, swa: true, swaStart: 161, swaLr: 0.01 },
  ],
  ['preresnet164-cifar10-sgd', { epochs: 150, lrInit: 0.1, wd: 3e-4, swa: false }],
  [
    'preresnet110-cifar100-1.5budget',
    { epochs: 225, lrInit: 0.1, wd: 3e-4, swa: true, swaStart: 126, swaLr: 0.05 },
  ],
  [
    'preresnet110-cifar10-1.5budget',
    { epochs: 225, lrInit: 0.1, wd: 3e-4, swa: true, swaStart: 126, swaLr: 0.01 },
  ],
  ['wrn28x10-cifar100-sgd', { epochs: 200, lrInit: 0.1, wd: 5e-4, swa: false }],
  [
    'wrn28x10-cifar100-1.5budget',
    { epochs: 300, lrInit: 0.1, wd: 5e-4, swa: true, swaStart: 161, swaLr: 0.05 },
  ],
])('%s is the published command', (name, expected) => {
  expect(settingsFrom(profileSettings(name))).toMatchObject({
    ...expected,
    momentum: recipe.momentum,
    batchSize: 128,
  });
});

test('the published accuracies stand beside the right rows', () => {
  const means = (start: string) =>
    Object.entries(publishedRecipes)
      .filter(([name]) => name.startsWith(start))
      .map(([, { accuracy }]) => `${accuracy.mean} ± ${accuracy.sd}`);
  expect(means('wrn28x10-cifar100')).toEqual([
    '80.82 ± 0.23',
    '81.46 ± 0.23',
    '81.91 ± 0.27',
    '82.15 ± 0.27',
  ]);
  expect(means('preresnet110-cifar10-')).toEqual([
    '95.03 ± 0.05',
    '95.51 ± 0.1',
    '95.65 ± 0.03',
    '95.82 ± 0.03',
  ]);
});
