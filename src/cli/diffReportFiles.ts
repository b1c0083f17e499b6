import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomicFile.ts';
import { diffHtml } from '../report/diffHtml.ts';
import { diffJson } from '../report/diffJson.ts';
import { diffMarkdown } from '../report/diffMarkdown.ts';
import type { DiffReport, RunFacts } from '../report/diffReport.ts';
import { junitXml } from '../report/junit.ts';
import { type ReportFlag, writeTexts } from './runReportFiles.ts';

/** What a run of `diff` leaves behind besides its logs; what is undefined is not wanted. */
export interface ReportTargets {
  /** Directory of `diff.html` and `diff.md`. */
  readonly directory?: string;
  readonly json?: string;
  readonly junit?: string;
}

export interface ReportFlags {
  readonly report?: ReportFlag;
  readonly json?: string;
  readonly junit?: string;
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/**
 * Where the reports go, checked before anything is computed. `standard` stands for `--report` where that
 * names no directory. Throws UsageError where a file is in the way of a directory or the other way round.
 */
export function reportTargets(
  { report, json, junit }: ReportFlags,
  standard: string,
): ReportTargets {
  const directory = report === false ? undefined : typeof report === 'string' ? report : standard;
  if (directory !== undefined && existsSync(directory) && !isDirectory(directory)) {
    throw new UsageError('is there already and is no directory', {
      where: directory,
      fix: 'give --report another directory, or --no-report',
    });
  }
  return {
    ...(directory === undefined ? {} : { directory }),
    ...(json === undefined ? {} : { json }),
    ...(junit === undefined ? {} : { junit }),
  };
}

/** Writes every report that is wanted; gives back the page's path. Throws InputError. */
export function writeReports(
  { directory, json, junit }: ReportTargets,
  reports: readonly DiffReport[],
  facts: RunFacts,
): string | undefined {
  const write = (file: string, text: string): void =>
    writeFileAtomic(file, new TextEncoder().encode(text));
  if (json !== undefined) write(json, diffJson(reports));
  if (junit !== undefined) write(junit, junitXml(reports, facts));
  if (directory === undefined) return undefined;
  writeTexts(directory, {
    'diff.md': diffMarkdown(reports, facts),
    'diff.html': diffHtml(reports, facts),
  });
  return join(directory, 'diff.html');
}
