import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { svgProblems } from '../../test/svgProblems.ts';
import { runJson, runReport } from '../report/training/runReport.ts';
import { recipe } from '../train/settings/trainingSettings.ts';
import { run } from './run.ts';
import { writeTexts } from './train/runReportFiles.ts';

let dir: string;
let errors: string[];
beforeEach(() => {
  errors = [];
  vi.spyOn(console, 'error').mockImplementation((line) => errors.push(String(line)));
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const split = { images: 20, sha256: 'aa' };
const row = { lr: 0.05, trainLoss: 2, trainAccuracy: 20, testLoss: 2, testAccuracy: 25 };

const reportOf = (name: string, seed: number): string =>
  runJson(
    runReport({
      name,
      by: 'a test',
      settings: { ...recipe, epochs: 2, swa: true, swaStart: 2, seed },
      versions: {},
      backend: {},
      platform: {},
      dataset: { train: split, test: split },
      weights: {},
      rows: [
        { ...row, epoch: 1 },
        { ...row, epoch: 2, swaTestLoss: 1, swaTestAccuracy: 30 },
      ],
      epochSeconds: [1, 2],
    }),
  );

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-'));
  writeTexts(join(dir, 'ours'), { 'run.json': reportOf('ours', 1) });
  writeTexts(join(dir, 'peer'), { 'run.json': reportOf('peer', 2) });
  writeTexts(join(dir, 'run-ours'), { 'train_log.txt': '' });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('two runs in one picture, and the table beside it', async () => {
  const out = join(dir, 'both', 'curves.svg');
  const [ours, peer] = [join(dir, 'ours'), join(dir, 'peer', 'run.json')];
  expect(await run(['report', ours, peer, '--out', out])).toBe(0);
  const svg = readFileSync(out, 'utf8');
  expect(svgProblems(svg)).toEqual([]);
  expect(svg).toContain('class="line dashed c1"');
  const table = readFileSync(join(dir, 'both', 'curves.md'), 'utf8');
  expect(table).toMatch(/^!\[curves\]\(curves\.svg\)\n\n\| run \| by \|/);
  expect(table).toContain('peer saw the same images as ours, with other settings (seed 1 and 2).');
});

test.each([
  ['DIR/run-ours', 'run.json: no such file or directory; name a directory'],
  ['DIR/nowhere', 'nowhere: no such file or directory'],
  ['DIR/bad.json', 'bad.json: is not a report of a run'],
  ['DIR/ours DIR/ours DIR/ours DIR/ours DIR/ours', 'one picture shows at most 4 runs, not 5'],
])('report %s is refused in one line', async (runs, message) => {
  writeFileSync(join(dir, 'bad.json'), '{}');
  const out = join(dir, 'refused.svg');
  const paths = runs.split(' ').map((path) => path.replace('DIR', dir));
  expect(await run(['report', ...paths, '--out', out])).toBe(2);
  expect(errors.join('\n')).toContain(message);
  expect(errors.join('\n').trim().split('\n')).toHaveLength(1);
  expect(existsSync(out)).toBe(false);
});

test('a report that is read is not written over by what comes beside a table', async () => {
  const before = readFileSync(join(dir, 'ours', 'run.json'), 'utf8');
  for (const [flag, name] of [
    ['--statistics', 'run.md'],
    ['--statistics', '../ours/./run.md'],
  ]) {
    expect(await run(['report', join(dir, 'ours'), flag, join(dir, 'ours', name)])).toBe(2);
  }
  expect(errors).toHaveLength(2);
  expect(errors[0]).toContain('run.json: is read by report, and would be written over');
  expect(readFileSync(join(dir, 'ours', 'run.json'), 'utf8')).toBe(before);
});

test('a picture of another kind is refused', async () => {
  expect(await run(['report', join(dir, 'ours'), '--out', join(dir, 'a.png')])).toBe(2);
  expect(errors.join()).toContain('a.png: does not end in .svg; give another name');
});

test('statistics of runs: the table, and its numbers as JSON', async () => {
  const out = join(dir, 'seeds.md');
  const runs = [join(dir, 'ours'), join(dir, 'peer')];
  expect(await run(['report', ...runs, '--statistics', out])).toBe(0);
  expect(readFileSync(out, 'utf8')).toContain('| SWA | 30.00 ± 0.00 (2 runs) |');
  const { cells } = JSON.parse(readFileSync(join(dir, 'seeds.json'), 'utf8'));
  expect(cells.map(({ method, mean }: { method: string; mean: number }) => [method, mean])).toEqual(
    [
      ['weights averaged by SWA', 25],
      ['SWA', 30],
    ],
  );
});

test.each([
  [[], 'nothing says where to write; give --out FILE.svg'],
  [
    ['--out', 'DIR/x.svg', '--statistics', 'DIR/x.md'],
    'x.md: --out and --statistics would both write it',
  ],
  [['--statistics', 'DIR/x.md', 'DIR/ours'], 'ours: is the same seed, method and program as'],
])('report with %j is refused and writes nothing', async (flags, message) => {
  const words = [join(dir, 'ours'), ...flags.map((flag) => flag.replace('DIR', dir))];
  expect(await run(['report', ...words])).toBe(2);
  expect(errors.join('\n')).toContain(message);
  for (const name of ['x.svg', 'x.md', 'x.json']) expect(existsSync(join(dir, name))).toBe(false);
});
