import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  mkdirSync(folder);
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
