import { expect, test } from 'vitest';
import { type SeedGroup, seedsJson, seedsTables } from './seedsTable.ts';

const network = { model: 'vgg16', dataset: 'cifar10', epochs: 200 } as const;
const groups: readonly SeedGroup[] = [
  {
    ...network,
    method: 'SGD',
    results: [
      { seed: 1, sgd: 91 },
      { seed: 2, sgd: 93 },
      { seed: 3, sgd: 95 },
    ],
  },
  { ...network, method: 'SWA', results: [{ seed: 7, sgd: 90.5, swa: 94.125 }] },
];

test('a line for each kind of weights, then every seed', () => {
  expect(seedsTables(groups)).toBe(
    `Final test accuracy, mean ± sample standard deviation over seeds.

| network | data | weights | runs | test accuracy, % |
| --- | --- | --- | ---: | ---: |
| VGG16 (200 epochs) | cifar10 | SGD | 3 | 93.00 ± 2.00 |
| VGG16 (200 epochs) | cifar10 | weights averaged by SWA | 1 | 90.50 |
| VGG16 (200 epochs) | cifar10 | SWA | 1 | 94.13 |

| seed | SGD, % |
| ---: | ---: |
| 1 | 91.00 |
| 2 | 93.00 |
| 3 | 95.00 |

| seed | weights averaged by SWA, % | SWA, % |
| ---: | ---: | ---: |
| 7 | 90.50 | 94.13 |
`,
  );
});

test('the JSON holds every number with all its digits', () => {
  const { format, groups: written } = JSON.parse(seedsJson(groups));
  expect(format).toBe('swa-align seeds/1');
  expect(written[0].spread).toEqual({ sgd: { n: 3, mean: 93, sd: 2 } });
  expect(written[1].spread).toEqual({ sgd: { n: 1, mean: 90.5 }, swa: { n: 1, mean: 94.125 } });
  expect(written[1].results).toEqual(groups[1].results);
});
