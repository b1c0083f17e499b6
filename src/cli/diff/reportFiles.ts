import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import type { DiffReport, RunFacts } from '../../report/diffReport.ts';
import { type ReporterName, reporters } from '../../report/reporters/reporters.ts';
import type { ReportFlag } from '../train/runReportFiles.ts';

/** A report that is wanted, and the file it goes to. */
export interface ReportTarget {
  readonly name: ReporterName;
  readonly file: string;
}

export interface ReportFlags {
  readonly reporter?: readonly ReportTarget[];
  /** Short for html=DIR/diff.html and markdown=DIR/diff.md. */
  readonly report?: ReportFlag;
  /** Short for json=FILE. */
  readonly json?: string;
  /** Short for junit=FILE. */
  readonly junit?: string;
  /** Short for log=FILE. */
  readonly log?: string;
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Where the page and its Markdown go, `standard` where `--report` names no directory; undefined with `--no-report`. */
export function pageDirectory({ report }: ReportFlags, standard: string): string | undefined {
  const directory = report === false ? undefined : typeof report === 'string' ? report : standard;
  if (directory !== undefined && existsSync(directory) && !isDirectory(directory)) {
    throw new UsageError('exists and is not a directory', {
      where: directory,
      fix: 'give --report another directory, or --no-report',
    });
  }
  return directory;
}

/** Every report that is wanted, the page last. */
export const reportTargets = (
  { reporter = [], json, junit, log }: ReportFlags,
  page: string | undefined,
): ReportTarget[] => [
  ...(json === undefined ? [] : [{ name: 'json', file: json } as const]),
  ...(junit === undefined ? [] : [{ name: 'junit', file: junit } as const]),
  ...(log === undefined ? [] : [{ name: 'log', file: log } as const]),
  ...reporter,
  ...(page === undefined
    ? []
    : ([
        { name: 'markdown', file: join(page, 'diff.md') },
        { name: 'html', file: join(page, 'diff.html') },
      ] as const)),
];

/** Writes them. Throws InputError. */
export function writeReports(
  targets: readonly ReportTarget[],
  reports: readonly DiffReport[],
  facts: RunFacts,
): void {
  for (const { name, file } of targets) {
    writeFileAtomic(file, reporters[name].render(reports, facts));
  }
}
