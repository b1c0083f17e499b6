import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { sha256File } from '../../io/sha256/sha256File.ts';
import { runCurves } from '../../report/training/runCurves.ts';
import {
  parseRunJson,
  type RunReport,
  runJson,
  runReport,
} from '../../report/training/runReport.ts';
import { loggedSeconds } from '../../report/training/trainLog.ts';
import { digestDataset } from '../../train/dataset.ts';
import { machine, versions } from '../environment.ts';
import type { FollowedRun } from './followRun.ts';

/** `--report DIR`, `--no-report`, or neither. */
export type ReportFlag = string | false | undefined;

/** Where a run's report goes; undefined when none is wanted. Throws UsageError for a file. */
export function reportDirectory(flag: ReportFlag, runDirectory: string): string | undefined {
  if (flag === false) return undefined;
  const dir = flag ?? join('reports', basename(resolve(runDirectory)));
  if (existsSync(dir) && !statSync(dir).isDirectory()) {
    throw new UsageError('exists and is not a directory', {
      where: dir,
      fix: 'give --report another directory, or --no-report',
    });
  }
  return dir;
}

const runFile = 'run.json';

/** Whether a run has written its report there. */
export const hasRunReport = (dir: string): boolean => existsSync(join(dir, runFile));

/** Reads the report in a directory, or by the name of its `run.json`. Throws InputError. */
export function readRunReport(path: string): RunReport {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, runFile) : path;
  const fix = 'name a directory that a finished run wrote its report to';
  return parseRunJson(new TextDecoder().decode(readFileOrFail(file, { fix })), file);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Writes texts into a directory. Throws InputError. */
export function writeTexts(dir: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) writeFileAtomic(join(dir, name), bytes(text));
}

/** A finished run, and how many threads it was given. */
export type FinishedRun = Pick<FollowedRun, 'run' | 'rows' | 'weights'> & {
  readonly threads?: number;
};

function factsOf({ run, rows, weights, threads }: FinishedRun, name: string, log: string) {
  const { settings, backend, dataset } = run;
  const digest = digestDataset(dataset);
  const split = (of: 'train' | 'test') => ({ images: dataset[of].count, sha256: digest[of] });
  const { 'swa-align': version } = versions();
  return runReport({
    name,
    by: `swa-align ${version}`,
    settings,
    versions: versions(),
    backend: {
      name: backend.name,
      device: backend.device,
      precision: backend.precision,
      description: backend.description,
      threads: threads ?? 'one a core',
    },
    platform: machine(),
    dataset: { train: split('train'), test: split('test') },
    weights: Object.fromEntries(weights.map((path) => [basename(path), sha256File(path)])),
    rows: [...rows],
    epochSeconds: loggedSeconds(rows, settings.swa, log),
  });
}

/** Writes `train_log.txt`, `run.json` and `curves.svg` of a finished run. */
export function writeRunReport(dir: string, finished: FinishedRun): RunReport {
  const path = join(finished.run.directory, 'train_log.txt');
  const log = new TextDecoder().decode(readFileOrFail(path));
  const report = factsOf(finished, basename(resolve(dir)), log);
  // The JSON comes last: where it is, all is there.
  writeTexts(dir, {
    'train_log.txt': log,
    'curves.svg': runCurves(report),
    [runFile]: runJson(report),
  });
  return report;
}
