import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run as command } from '../src/cli/run.ts';
import { readRunReport } from '../src/cli/train/runReportFiles.ts';
import { cifar10 } from '../src/data/cifar.ts';
import { cifar100 } from '../src/data/cifar100.ts';
import { fixturesDirectory } from '../src/fixtures.ts';
import { loggedSeconds, resumedLog } from '../src/report/training/trainLog.ts';
import { digestDataset, openDataset } from '../src/train/dataset.ts';
import { settingsFrom } from '../src/train/settings/trainingSettings.ts';
import { pythonHas } from './support/pythons.ts';
import { scratch } from './trainTinyRun.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

/** CIFAR-10 with an image a file. */
function images(): string {
  const folder = join(s.dir, cifar10.folder);
  mkdirSync(folder, { recursive: true });
  for (const [n, name] of [...cifar10.files.train, ...cifar10.files.test].entries()) {
    writeFileSync(
      join(folder, name),
      Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? n : i * n)),
    );
  }
  return s.dir;
}

const script = join(fixturesDirectory, 'train_in_torch.py');
const hasTorch = pythonHas(['numpy', 'torch']);

test.skipIf(!hasTorch)(
  'the peer’s report is read as our own, and its log is laid out as ours',
  { timeout: 120_000 },
  () => {
    const [data, out] = [images(), join(s.dir, 'peer')];
    const flags = ['--data-path', data, '--dir', out, '--batch-size', '3', '--epochs', '1'];
    // Too long for a number in JSON.
    const seed = '18446744073709551615';
    const swa = ['--swa', '--swa_start', '1', '--threads', '1', '--seed', seed];
    execFileSync('python3', [script, ...flags, ...swa]);
    const report = readRunReport(out);
    expect(report.settings).toEqual(
      settingsFrom({ batchSize: 3, epochs: 1, swa: true, swaStart: 1, seed }),
    );
    const digest = digestDataset(openDataset('cifar10', data));
    expect(report.dataset).toEqual({
      train: { images: 5, sha256: digest.train },
      test: { images: 1, sha256: digest.test },
    });
    const log = readFileSync(join(out, 'train_log.txt'), 'utf8');
    // Were a line not as ours, its time would not be found and it would be written anew without.
    expect(resumedLog(report.rows, true, log)).toEqual(log.trimEnd().split('\n'));
    expect(loggedSeconds(report.rows, true, log)[0]).toBeCloseTo(report.seconds.total, 3);
  },
);

test.skipIf(!hasTorch).each([1, 8])(
  'a run on CIFAR-100 is the peer’s, the average and its hundred classes included: widths ÷ %i',
  { timeout: 120_000 },
  async (narrow) => {
    const at = (name: string): string => join(s.dir, `${name}-${narrow}`);
    const data = at('hundred');
    mkdirSync(join(data, cifar100.folder), { recursive: true });
    const { train, test: tests } = cifar100.files;
    for (const [name, count] of [...train.map((n) => [n, 6] as const), [tests[0], 4] as const]) {
      // The coarse label is that of another class: who reads it learns something else.
      const record = (n: number): Uint8Array =>
        Uint8Array.from({ length: 3074 }, (_, i) => [n, 99 - 15 * n][i] ?? i * (n + 1));
      const records = Array.from({ length: count }, (_, n) => [...record(n)]).flat();
      writeFileSync(join(data, cifar100.folder, name), Uint8Array.from(records));
    }
    const run = [
      '--dataset',
      'cifar100',
      '--data-path',
      data,
      '--batch-size',
      '3',
      '--epochs',
      '2',
    ];
    const flags = [...run, '--eval-freq', '1', '--swa', '--swa-start', '1', '--model', 'vgg16'];
    flags.push('--narrow', String(narrow));
    const [theirs, ours] = [at('theirs'), at('ours')];
    execFileSync('python3', [script, ...flags, '--dir', theirs, '--threads', '1']);
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const checkpoints = at('checkpoints');
    expect(
      await command(['train', ...flags, '--dir', checkpoints, '--report', ours, '--device', 'cpu']),
    ).toBe(0);
    vi.restoreAllMocks();
    const [peer, own] = [readRunReport(theirs), readRunReport(ours)];
    expect([peer, own].map(({ settings }) => settings.narrow ?? 1)).toEqual([narrow, narrow]);
    expect(own.dataset).toEqual(peer.dataset);
    for (const [i, row] of own.rows.entries()) {
      for (const [key, value] of Object.entries(peer.rows[i])) {
        expect(row[key as keyof typeof row], key).toBeCloseTo(Number(value), 3);
      }
    }
    // Chance among a hundred is ln 100.
    expect(peer.rows[0].testLoss).toBeCloseTo(Math.log(100), 0);
  },
);

/** PyTorch's side of bench/gpu_train.sh. */
const inCalls = fileURLToPath(new URL('../bench/train_torch.py', import.meta.url));

test.skipIf(!hasTorch)(
  'the peer that is stopped and goes on makes the same run, to the last digit',
  { timeout: 180_000 },
  async () => {
    const data = images();
    const run = ['--batch-size', '3', '--epochs', '4', '--eval-freq', '2', '--model', 'vgg16bn'];
    const flags = ['--data-path', data, ...run, '--swa', '--swa-start', '2'];
    const [whole, parts] = [join(s.dir, 'whole'), join(s.dir, 'parts')];
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    execFileSync('python3', [script, ...flags, '--dir', whole], { env });

    const checkpoint = join(s.dir, 'checkpoint.pt');
    const own = ['--device', 'cpu', '--checkpoint', checkpoint, '--dir', parts];
    const stopped = spawn('python3', [inCalls, ...flags, ...own], { env });
    stopped.stdout.on('data', (text) => {
      if (/^ +2 /m.test(String(text))) stopped.kill('SIGINT');
    });
    expect((await once(stopped, 'exit'))[0]).toBe(3);
    const rest = execFileSync('python3', [inCalls, ...flags, ...own], { env, encoding: 'utf8' });
    expect(rest).toMatch(/^goes on after epoch [23]$/m);
    expect(readRunReport(parts).rows).toEqual(readRunReport(whole).rows);

    const other = spawnSync('python3', [inCalls, ...flags, ...own, '--seed', '2']);
    expect(other.status).toBe(2);
    expect(String(other.stderr)).toContain('holds a run with other settings');
  },
);
