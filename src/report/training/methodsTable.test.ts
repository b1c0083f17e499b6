import { describe, expect, test } from 'vitest';
import { recipe } from '../../train/settings/trainingSettings.ts';
import { methodsJson, methodsTable, methodsText, type PlacedRun } from './methodsTable.ts';
import { type RunReport, runReport } from './runReport.ts';

const split = { images: 25_000, sha256: 'aa' };

/** A run of one epoch that ended with these accuracies. */
function placed(
  by: string,
  seed: number,
  [sgd, swa]: readonly [number, number?],
  more: Partial<RunReport> = {},
): PlacedRun {
  const run = runReport({
    name: `${by}-${seed}`,
    by,
    settings: { ...recipe, narrow: 8, epochs: 1, seed, swa: swa !== undefined, swaStart: 1 },
    versions: {},
    backend: {},
    platform: {},
    dataset: { train: split, test: split },
    weights: {},
    rows: [
      {
        epoch: 1,
        lr: 0.05,
        trainLoss: 1,
        trainAccuracy: 50,
        testLoss: 1,
        testAccuracy: sgd,
        ...(swa !== undefined && { swaTestLoss: 1, swaTestAccuracy: swa }),
      },
    ],
    epochSeconds: [1],
  });
  return { run: { ...run, ...more }, where: `${by.split(' ')[0]}-${seed}${swa ? '-swa' : ''}` };
}

const ours = 'swa-align 0.1.0';
const torch = 'PyTorch 2.13.0+cpu';
const runs = [
  placed(ours, 1, [61, 64]),
  placed(ours, 2, [60, 66]),
  placed(ours, 3, [62, 65]),
  placed(ours, 1, [63]),
  placed(ours, 2, [64]),
  placed(ours, 3, [62]),
  placed(torch, 1, [61.5, 64.5]),
  placed(torch, 2, [60.5, 65]),
  placed(torch, 3, [62, 66]),
] as const;

describe('the table of methods', () => {
  const table = methodsTable(runs);

  test('SGD is what runs without --swa end with, and the weights that SWA averages are their own row', () => {
    const lines = methodsText(table).split('\n');
    expect(lines[0]).toContain('VGG16, widths ÷ 8 on cifar10, 25,000 training images, 1 epoch.');
    expect(lines.slice(2, 7)).toEqual([
      '| weights | swa-align | PyTorch |',
      '| --- | ---: | ---: |',
      '| SGD | 63.00 ± 1.00 (3 runs) | – |',
      '| weights averaged by SWA | 61.00 ± 1.00 (3 runs) | 61.33 ± 0.76 (3 runs) |',
      '| SWA | 65.00 ± 1.00 (3 runs) | 65.17 ± 0.76 (3 runs) |',
    ]);
  });

  test('programs are compared by Welch, methods seed by seed', () => {
    // Squared standard errors 1/3 and 7/36: their sum's square over half the sum of their squares.
    expect(table.tests.map(({ question, test, n, df }) => [question, test, n, df])).toEqual([
      [
        'weights averaged by SWA: swa-align − PyTorch',
        "Welch's t",
        [3, 3],
        expect.closeTo(3.7409, 4),
      ],
      ['SWA: swa-align − PyTorch', "Welch's t", [3, 3], expect.closeTo(3.7409, 4)],
      ['swa-align: SWA − SGD', 'paired t', [3], 2],
      ['swa-align: SWA − weights averaged by SWA', 'paired t', [3], 2],
      ['PyTorch: SWA − weights averaged by SWA', 'paired t', [3], 2],
    ]);
    // Differences 1, 2, 3: mean 2, standard error 1/√3.
    const [, , swa] = table.tests;
    expect(swa.difference).toBeCloseTo(2, 12);
    expect(swa.t).toBeCloseTo(2 * Math.sqrt(3), 12);
    expect(methodsText(table)).toContain('p not corrected for 5 tests');
  });

  test('every seed is listed by itself, and the JSON has all digits', () => {
    expect(methodsText(table)).toContain('\n| 2 | 64.00 | 60.00 | 60.50 | 66.00 | 65.00 |\n');
    const json = JSON.parse(methodsJson(table));
    expect(json.cells[0]).toMatchObject({
      method: 'SGD',
      program: 'swa-align',
      n: 3,
      mean: 63,
      sd: 1,
    });
    expect(json.tests[0].power).toBe(table.tests[0].power);
  });

  test('one run is a table without a test', () => {
    const text = methodsText(methodsTable([runs[0]]));
    expect(text).toContain('| SWA | 64.00 (1 run) |');
    expect(text).toContain('No test: that takes two runs on a side that differ.');
  });
});

const [first] = runs;
const { settings, dataset } = first.run;

test.each<[string, PlacedRun]>([
  [
    'PyTorch-7-swa: has lrInit 0.1, not 0.05 as in swa-align-1-swa; name runs that differ in seed',
    placed(torch, 7, [60, 61], { settings: { ...settings, seed: 7, lrInit: 0.1 } }),
  ],
  [
    'has narrow 1, not 8 as in',
    placed(torch, 7, [60, 61], {
      settings: { ...recipe, swa: true, swaStart: 1, epochs: 1, seed: 7 },
    }),
  ],
  [
    'has swaStart 2, not 1 as in',
    placed(torch, 7, [60, 61], { settings: { ...settings, seed: 7, swaStart: 2 } }),
  ],
  [
    'has distributed {"ranks":4,"reduce":"fast","rankSeeds":"offset"}, not none as in',
    placed('swa-align 0.1.0', 7, [60, 61], {
      settings: {
        ...settings,
        seed: 7,
        distributed: { ranks: 4, reduce: 'fast', rankSeeds: 'offset' },
      },
    }),
  ],
  [
    'saw other test images than swa-align-1-swa',
    placed(torch, 7, [60, 61], { dataset: { ...dataset, test: { ...split, sha256: 'bb' } } }),
  ],
  [
    'is the same seed, method and program as swa-align-1-swa',
    placed('swa-align 0.2.0', 1, [61, 64]),
  ],
])('runs of different experiments are refused: %s', (message, other) => {
  expect(() => methodsTable([first, other])).toThrow(message);
});
