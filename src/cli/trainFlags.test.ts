import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { scratch } from '../../test/trainTinyRun.ts';
import type { TrainingRun } from '../train/loop/session.ts';
import { recipe, type TrainingSettings } from '../train/settings/trainingSettings.ts';
import type { FollowedRun } from './train/followRun.ts';

const seen: TrainingRun[] = [];
let run: typeof import('./run.ts').run;
beforeAll(async () => {
  // Unit tests share modules: those of the command are loaded anew, with one that only looks.
  vi.resetModules();
  vi.doMock('./train/followRun.ts', () => ({
    followRun: async (asked: TrainingRun): Promise<FollowedRun> => {
      seen.push(asked);
      return { run: asked, ending: 'finished', saved: '', rows: [], weights: [] };
    },
  }));
  ({ run } = await import('./run.ts'));
});
afterAll(() => {
  vi.doUnmock('./train/followRun.ts');
  vi.resetModules();
});

const s = scratch();
afterAll(() => s.remove());
beforeEach(() => {
  seen.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
});

/** Nothing here is the recipe's: a flag that goes nowhere would leave it there. */
const told: TrainingSettings = {
  model: 'preresnet110',
  dataset: 'synthetic',
  batchSize: 7,
  numWorkers: 2,
  epochs: 12,
  evalFreq: 4,
  lrInit: 0.07,
  momentum: 0.8,
  wd: 3e-3,
  dropout: false,
  swa: true,
  swaStart: 6,
  swaLr: 0.02,
  swaCEpochs: 3,
  seed: 5,
};

const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

test('every setting that is given on the command line is the run’s', async () => {
  const { dropout, swa, ...given } = told;
  const flags = Object.entries(given).flatMap(([name, value]) => [flagOf(name), String(value)]);
  const where = [
    '--dir',
    join(s.dir, 'run'),
    '--backend',
    'oracle',
    '--profile',
    'ncpaddle',
    '--swa',
    '--no-report',
  ];
  expect(await run(['train', ...where, ...flags])).toBe(0);
  expect(seen[0]?.settings).toEqual(told);
  const same = (name: keyof TrainingSettings): boolean => told[name] === recipe[name];
  expect((Object.keys(recipe) as (keyof TrainingSettings)[]).filter(same)).toEqual([]);
});
