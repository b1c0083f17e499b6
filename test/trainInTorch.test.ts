import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRunReport } from '../src/cli/runReportFiles.ts';
import { cifar10 } from '../src/data/cifar.ts';
import { fixturesDirectory } from '../src/fixtures.ts';
import { loggedSeconds, resumedLog } from '../src/report/trainLog.ts';
import { digestDataset, openDataset } from '../src/train/dataset.ts';
import { settingsFrom } from '../src/train/trainingSettings.ts';
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
const hasTorch = spawnSync('python3', ['-c', 'import torch']).status === 0;

test.skipIf(!hasTorch)(
  'the peer’s report is read as our own, and its log is laid out as ours',
  { timeout: 120_000 },
  () => {
    const [data, out] = [images(), join(s.dir, 'peer')];
    const flags = ['--data-path', data, '--dir', out, '--batch-size', '3', '--epochs', '1'];
    execFileSync('python3', [script, ...flags, '--swa', '--swa_start', '1', '--threads', '1']);
    const report = readRunReport(out);
    expect(report.settings).toEqual(
      settingsFrom({ batchSize: 3, epochs: 1, swa: true, swaStart: 1 }),
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
