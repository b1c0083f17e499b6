import { type DiffReport, type RunFacts, reportPassed } from '../../report/diffReport.ts';
import { githubAnnotations } from '../../report/reporters/githubAnnotations.ts';
import type { CliContext } from '../context.ts';
import { reportTargets, writeReports } from '../diff/reportFiles.ts';
import type { WrittenFlags } from './flags.ts';

/** What the two commands ran on. */
export const hostVersions = (): Readonly<Record<string, string>> => ({
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
});

/** Writes the reports that are wanted, prints `lines`, and fails where something did. */
export function tell(
  report: DiffReport,
  facts: RunFacts,
  lines: readonly string[],
  flags: WrittenFlags,
  context: CliContext,
): void {
  writeReports(reportTargets(flags, undefined), [report], facts);
  for (const line of lines) context.print(line);
  if (process.env.GITHUB_ACTIONS === 'true') {
    for (const line of githubAnnotations([report])) context.printWhole(line);
  }
  if (!reportPassed(report)) context.fail();
}
