import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { svgProblems } from '../../../test/svgProblems.ts';
import { follow, scratch, tinyRun, tinySettings } from '../../../test/trainTinyRun.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import type { Seed } from '../../torch/seed.ts';
import { newestCheckpoint } from '../../train/checkpoint/checkpointFiles.ts';
import { digestDataset } from '../../train/dataset.ts';
import type { Ending } from '../../train/events.ts';
import { seedDirectory } from '../../train/loop/seeds.ts';
import type { TrainingRun } from '../../train/loop/session.ts';
import type { GivenSettings } from '../../train/settings/trainingSettings.ts';
import { seedList } from '../arguments/flags.ts';
import { followRun } from './followRun.ts';
import { readRunReport, writeRunReport } from './runReportFiles.ts';
import { finishedGroups, type OneRun, planSeedRuns, trainSeeds } from './seedRuns.ts';

let s: ReturnType<typeof scratch>;
let dir: string;
let reports: string;
let printed: string[];
beforeEach(() => {
  s = scratch();
  [dir, reports] = [join(s.dir, 'seeds'), join(s.dir, 'reports')];
  printed = [];
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  s.remove();
});

const context = {
  print: (line: string) => printed.push(line),
  columns: Number.POSITIVE_INFINITY,
  fail: () => {},
};
const { seed: _, ...given }: GivenSettings = tinySettings;

const plan = (seeds: readonly Seed[], settings: GivenSettings = given) =>
  planSeedRuns({ seeds, dir, report: reports }, settings);

const runOf = ({ found, directory, settings }: OneRun, rest: Partial<TrainingRun> = {}) =>
  tinyRun(directory, settings, { ...rest, ...(found && { resume: found }) });

/** As the command does it. */
async function trainOne(one: OneRun, rest: Partial<TrainingRun> = {}): Promise<Ending> {
  const { ending, ...made } = await followRun(runOf(one, rest), undefined, context);
  if (ending === 'finished' && one.report !== undefined) writeRunReport(one.report, made);
  return ending;
}

const command = (
  seeds: readonly Seed[],
  one: (run: OneRun) => Promise<Ending> = trainOne,
): Promise<Ending> => trainSeeds(plan(seeds), one, context);

/** Which of the seeds a command went through, and from where. */
async function made(seeds: readonly Seed[]): Promise<string[]> {
  const runs: string[] = [];
  await command(seeds, (one) => {
    const { epoch, step } = one.found?.checkpoint.position ?? { epoch: 0, step: 0 };
    runs.push(`seed ${one.settings.seed} from epoch ${epoch} step ${step}`);
    return trainOne(one);
  });
  return runs;
}

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

test('seeds killed amid the second: the same command goes on there, to the same bits and the table', async () => {
  const killed = command([1, 2, 3], async (one) => {
    if (one.settings.seed === 1) return trainOne(one);
    await follow(runOf(one, { saveEverySteps: 2 }), (e) => e.kind === 'step' && e.step === 5);
    throw new Error('killed');
  });
  await expect(killed).rejects.toThrow('killed');
  expect(existsSync(join(dir, 'seeds.md'))).toBe(false);

  expect(await made([1, 2, 3])).toEqual([
    'seed 2 from epoch 1 step 1',
    'seed 3 from epoch 0 step 0',
  ]);
  expect(printed).toContain(`seed 1 is finished; ${join(dir, 'swa-seed1')}`);

  const whole = join(s.dir, 'whole');
  await follow(tinyRun(whole, { seed: 2 }));
  for (const file of ['vgg16bn.safetensors', 'vgg16bn-swa.npz']) {
    expect(readFileSync(join(dir, 'swa-seed2', file))).toEqual(readFileSync(join(whole, file)));
  }

  const last = [1, 2, 3].map(
    (seed) => newestCheckpoint(seedDirectory(dir, tinySettings, seed)).checkpoint.rows.at(-1)!,
  );
  const [a, b, c] = last.map(({ swaTestAccuracy }) => swaTestAccuracy!);
  const [{ spread, results }] = JSON.parse(read(dir, 'seeds.json')).groups;
  expect(results.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2, 3]);
  const mean = (a + b + c) / 3;
  expect(spread.swa.n).toBe(3);
  expect(spread.swa.mean).toBeCloseTo(mean, 10);
  expect(spread.swa.sd ** 2).toBeCloseTo(
    ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 2,
    8,
  );
  expect(read(dir, 'seeds.md')).toContain(`| SWA | 3 | ${mean.toFixed(2)} ± `);
  for (const file of ['seeds.md', 'seeds.json']) {
    expect(read(reports, file)).toBe(read(dir, file));
  }
});

test('finished seeds are not touched; one whose report is gone writes it anew', async () => {
  await command([4, 5]);
  const before = read(reports, 'swa-seed4', 'run.json');
  expect(await made([4, 5])).toEqual([]);
  rmSync(join(reports, 'swa-seed4'), { recursive: true });
  expect(await made([4, 5])).toEqual(['seed 4 from epoch 4 step 0']);
  expect(read(reports, 'swa-seed4', 'run.json')).toBe(before);
});

test('asked to stop, no further seed begins and no table is written', async () => {
  await command([1, 2], async () => 'interrupted');
  expect(printed).toEqual(['the same command continues with seed 1']);
  expect(existsSync(dir)).toBe(false);
});

test('--steps stops each seed, and the table waits for a finished one', async () => {
  await command([1, 2], (one) => trainOne(one, { steps: 2 }));
  expect(readdirSync(dir).sort()).toEqual(['swa-seed1', 'swa-seed2']);
});

test('SGD and SWA in one directory make one table; other settings are never mixed', async () => {
  await command([1]);
  const plain: GivenSettings = { model: 'vgg16bn', dataset: 'synthetic', batchSize: 8 };
  await trainSeeds(plan([1], { ...plain, epochs: 1 }), trainOne, context);
  await trainSeeds(plan([2], { ...plain, epochs: 2 }), trainOne, context);
  expect(
    finishedGroups(dir).map(({ method, epochs, results }) => [method, epochs, results.length]),
  ).toEqual([
    ['SGD', 1, 1],
    ['SGD', 2, 1],
    ['SWA', 4, 1],
  ]);
});

test('seeds that began otherwise are refused before anything is done', async () => {
  await command([1], (one) => trainOne(one, { steps: 1 }));
  expect(() => plan([2, 1], { ...given, lrInit: 0.1 })).toThrow(
    /swa-seed1: the run began with --lr-init 0.05, not 0.1/,
  );
  const { batchSize: __, ...fewer } = given;
  expect(() => plan([1], fewer)).toThrow(
    /swa-seed1: the run began with batchSize 8, not 128; give the flags/,
  );
});

test.each([
  [{ resume: true as const }, '--resume is for one run'],
  [{ seed: 3 }, '--seed is for one run'],
  [{ weights: 'w.pt' }, '--weights is for one run'],
  [{ logSteps: 'steps.csv' }, '--log-steps is for one run'],
])('%o does not go with --seeds', (flags, message) => {
  expect(() => planSeedRuns({ seeds: [1], dir, ...flags }, given)).toThrow(message);
});

test('a list of seeds', () => {
  expect(seedList('3,1,2')).toEqual([3, 1, 2]);
  expect(() => seedList('1,x')).toThrow("'x' is not a whole number");
  expect(() => seedList('1,,2')).toThrow('is not a whole number');
  expect(() => seedList('1,2,1')).toThrow('names 1 twice');
  expect(() => seedList('1,18446744073709551616')).toThrow(
    "'18446744073709551616' is not a whole number from -2^63 to 2^64 - 1",
  );
  expect(() => seedList('18446744073709551615,-1')).toThrow(
    '-1 draws the same as 18446744073709551615',
  );
});

test('seeds at both ends of what PyTorch takes: found again, in order, to the last digit', async () => {
  const seeds = seedList('18446744073709551614,-3,9007199254740993');
  await command(seeds);
  const names = ['swa-seed-3', 'swa-seed18446744073709551614', 'swa-seed9007199254740993'];
  expect(readdirSync(dir).filter((name) => name.startsWith('swa-'))).toEqual(names);
  expect(await made(seeds)).toEqual([]);
  const [{ results }] = JSON.parse(read(dir, 'seeds.json')).groups;
  expect(results.map((result: { seed: Seed }) => result.seed)).toEqual([
    -3,
    '9007199254740993',
    '18446744073709551614',
  ]);
  for (const name of names) {
    const { seed } = readRunReport(join(reports, name)).settings;
    expect(`swa-seed${seed}`).toBe(name);
    expect(newestCheckpoint(join(dir, name)).checkpoint.settings.seed).toBe(seed);
  }
});

test('a report: the log, curves, and hashes of the very files', async () => {
  await command([1]);
  const [run, report] = [join(dir, 'swa-seed1'), join(reports, 'swa-seed1')];
  expect(readdirSync(report).sort()).toEqual(['curves.svg', 'run.json', 'train_log.txt']);
  expect(read(report, 'train_log.txt')).toBe(read(run, 'train_log.txt'));
  expect(svgProblems(read(report, 'curves.svg'))).toEqual([]);

  const found = readRunReport(report);
  expect(Object.keys(found.weights)).toEqual([
    'vgg16bn.safetensors',
    'vgg16bn-swa.safetensors',
    'vgg16bn-swa.npz',
  ]);
  for (const [file, hash] of Object.entries(found.weights)) {
    expect(hash).toBe(sha256Hex(readFileSync(join(run, file))));
  }
  const digest = digestDataset(tinyRun(run).dataset);
  expect(found.dataset.train).toEqual({ images: 20, sha256: digest.train });
  expect(found.settings).toEqual({ ...tinySettings, seed: 1 });
  expect(found.rows).toHaveLength(4);
  const times = found.seconds.epochs.map(Number);
  expect(times.every((time) => time > 0)).toBe(true);
  expect(found.seconds.total).toBeCloseTo(
    times.reduce((sum, time) => sum + time, 0),
    9,
  );
});

test('a report does not go where a file is', () => {
  const file = join(s.dir, 'file');
  writeFileSync(file, 'text');
  expect(() => planSeedRuns({ seeds: [1], dir, report: file }, given)).toThrow(
    'exists and is not a directory',
  );
  expect(statSync(file).size).toBe(4);
});
