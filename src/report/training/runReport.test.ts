import { describe, expect, test } from 'vitest';
import { svgProblems } from '../../../test/svgProblems.ts';
import type { LogRow } from '../../train/logRow.ts';
import { recipe } from '../../train/settings/trainingSettings.ts';
import { comparedCurves, mostRuns, runCurves } from './runCurves.ts';
import { parseRunJson, type RunReport, runJson, runReport } from './runReport.ts';
import { runTable } from './runTable.ts';
import { loggedSeconds, logLine } from './trainLog.ts';

const rows: readonly LogRow[] = [
  { epoch: 1, lr: 0.05, trainLoss: 2, trainAccuracy: 20, testLoss: 1.9, testAccuracy: 25 },
  { epoch: 2, lr: 0.05, trainLoss: 1.5, trainAccuracy: 40 },
  {
    epoch: 3,
    lr: 0.01,
    trainLoss: 1.25,
    trainAccuracy: 50,
    testLoss: 1.5,
    testAccuracy: 24,
    swaTestLoss: 1.25,
    swaTestAccuracy: 30,
  },
];

const split = { images: 5170, sha256: 'aa' };

const report = (more: Partial<RunReport> = {}, of: readonly LogRow[] = rows): RunReport => ({
  ...runReport({
    name: 'ours',
    by: 'swa-align 0.1.0',
    settings: { ...recipe, epochs: 3, swa: true, swaStart: 3 },
    versions: {},
    backend: {},
    platform: {},
    dataset: { train: split, test: split },
    weights: {},
    rows: [...of],
    epochSeconds: of.map((_, i) => (i === 1 ? undefined : 10.5)),
  }),
  ...more,
});

describe('run.json', () => {
  test('sums up accuracies and times, unknown times left out', () => {
    const { accuracy, seconds } = report();
    expect(accuracy).toEqual({
      sgd: { final: 24, best: 25, bestEpoch: 1 },
      swa: { final: 30, best: 30, bestEpoch: 3 },
    });
    expect(seconds).toEqual({ epochs: [10.5, null, 10.5], total: 21 });
  });

  test('reads back as it was written', () => {
    const written = report();
    expect(parseRunJson(runJson(written), 'run.json')).toEqual(written);
  });

  test.each([
    ['{', 'run.json: is not JSON'],
    ['[]', 'run.json: is not a report of a run'],
    ['{"format":"other"}', 'format'],
    [runJson(report()).replace('"trainLoss": 2', '"trainLoss": null'), 'rows.0.trainLoss'],
  ])('%s is refused', (text, message) => {
    expect(() => parseRunJson(text, 'run.json')).toThrow(message);
  });
});

test('times are read back from the log, where its line says the same', () => {
  const log = rows.map((row, i) => logLine(row, true, i === 1 ? undefined : 12.3456 + i));
  expect(loggedSeconds(rows, true, log.join('\n'))).toEqual([12.3456, undefined, 14.3456]);
  expect(loggedSeconds(rows, true, log[0].replace('2.0000', '2.1000'))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

describe('curves', () => {
  test.each([0, 1, 2, 3])('of %d epochs are well-formed', (n) => {
    expect(svgProblems(runCurves(report({}, rows.slice(0, n))))).toEqual([]);
  });

  test('quantities that were not measured are not in the legend', () => {
    expect(runCurves(report())).toContain('test, SWA');
    expect(runCurves(report({}, rows.slice(0, 2)))).not.toContain('test, SWA');
  });

  test('of several runs: the first solid and wide, every peer dashed in its own way', () => {
    const runs = Array.from({ length: mostRuns }, (_, i) => report({ name: `run <${i}>` }));
    const svg = comparedCurves(runs);
    expect(svgProblems(svg)).toEqual([]);
    for (const stroke of ['wide', 'dashed', 'dotted', 'dash-dotted']) {
      expect(svg).toContain(`<path class="line ${stroke} c0"`);
    }
    expect(svg).not.toContain('<path class="line solid');
  });
});

describe('table', () => {
  test('of one run', () => {
    expect(runTable([report()]).split('\n').slice(2)).toEqual([
      '| ours | swa-align 0.1.0 | 3 | 1.2500 | 24.00 | 30.00 | 21.0 (2 of 3 epochs) |',
      '',
    ]);
  });

  test('says whether data and settings are the same, and how far the curves part', () => {
    const [a, b, c] = rows;
    const peer = report(
      {
        name: 'theirs',
        settings: { ...report().settings, seed: 2, threads: 4 },
        dataset: { train: split, test: { ...split, sha256: 'bb' } },
      },
      [a, { ...b, trainLoss: 1.75 }, { ...c, trainLoss: 1.375 }],
    );
    const lines = runTable([report(), peer]).split('\n');
    expect(lines).toContain(
      'theirs saw other test images than ours, with other settings (seed 1 and 2).',
    );
    expect(lines).toContain('| theirs | train loss | 0.000000 | 0.250000 | 0.125000 |');
    expect(runTable([report(), report({ name: 'twin' })])).toContain(
      'twin saw the same images as ours, with the same settings.',
    );
  });
});
