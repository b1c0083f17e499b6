import { basename, join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import {
  methodsJson,
  methodsTable,
  methodsText,
  type PlacedRun,
} from '../../report/training/methodsTable.ts';
import { comparedCurves, mostRuns } from '../../report/training/runCurves.ts';
import type { RunReport } from '../../report/training/runReport.ts';
import { runTable } from '../../report/training/runTable.ts';
import { fileBehind } from '../arguments/filesApart.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { readRunReport } from '../train/runReportFiles.ts';

const ending = '.svg';
const tableEnding = '.md';

interface ReportFlags {
  readonly out?: string;
  readonly statistics?: string;
}

const beside = (path: string, its: string, other: string): string =>
  `${path.slice(0, -its.length)}${other}`;

/** The curves in one picture, and a table of what the runs ended with. */
function writeCurves(
  out: string,
  [ours, ...others]: readonly [RunReport, ...RunReport[]],
  { print, columns }: CliContext,
): void {
  const all = [ours, ...others] as const;
  writeFileAtomic(out, comparedCurves(all));
  if (out.endsWith(ending)) {
    const table = `![curves](${basename(out)})\n\n${runTable(all)}`;
    writeFileAtomic(beside(out, ending, tableEnding), table);
  }
  print(`${runTable(all, columns)}\npicture in ${named(out)}`);
}

/** The paper's table over seeds, with tests. */
function writeStatistics(
  path: string,
  runs: readonly [PlacedRun, ...PlacedRun[]],
  { print, columns }: CliContext,
): void {
  const table = methodsTable(runs);
  writeFileAtomic(path, methodsText(table));
  if (path.endsWith(tableEnding)) {
    writeFileAtomic(beside(path, tableEnding, '.json'), methodsJson(table));
  }
  print(`${methodsText(table, columns)}\ntable in ${named(path)}`);
}

/** What is written besides the files that the flags name. */
const writtenBeside = ({ out, statistics }: ReportFlags): string[] => [
  ...(out?.endsWith(ending) ? [beside(out, ending, tableEnding)] : []),
  ...(statistics?.endsWith(tableEnding) ? [beside(statistics, tableEnding, '.json')] : []),
];

/** Throws UsageError where nothing is to be written, two things into one file, or something over what is read. */
function checkFlags({ out, statistics }: ReportFlags, read: readonly string[]): void {
  const runs = read.length;
  const files = new Set(read.flatMap((run) => [run, join(run, 'run.json')]).map(fileBehind));
  const lost = writtenBeside({ ...(out && { out }), ...(statistics && { statistics }) }).find(
    (path) => fileBehind(path) !== undefined && files.has(fileBehind(path)),
  );
  if (lost !== undefined) {
    throw new UsageError('is read by report, and would be written over', {
      where: lost,
      fix: 'give --out or --statistics another name',
    });
  }
  if (out === undefined && statistics === undefined) {
    throw new UsageError('nothing says where to write', {
      fix: 'give --out FILE.svg for the curves, --statistics FILE.md for the table over seeds, or both',
    });
  }
  if (
    out?.endsWith(ending) &&
    statistics !== undefined &&
    fileBehind(beside(out, ending, tableEnding)) === fileBehind(statistics)
  ) {
    throw new UsageError('--out and --statistics would both write it', {
      where: statistics,
      fix: 'give one of them another name',
    });
  }
  if (out !== undefined && runs > mostRuns) {
    throw new UsageError(`one picture shows at most ${mostRuns} runs, not ${runs}`, {
      fix: 'name fewer, or leave --out out',
    });
  }
}

/** Lays finished runs beside each other: a picture and a table, or the statistics of several seeds. */
export const report: RegisterCommand = (command, context) => {
  command
    .argument('<run>', 'directory of a report, drawn with solid lines')
    .argument(
      '[peers...]',
      'reports to draw beside it, dashed: ours or fixtures/train_in_torch.py’s',
    )
    .addOption(
      outputFile('--out <file>', 'the .svg to write; the table goes to the .md beside it', ending),
    )
    .addOption(
      outputFile(
        '--statistics <file>',
        'the .md to write (and a .json beside it): mean ± sd over seeds by method and program, with tests',
        tableEnding,
      ),
    )
    .action((first: string, peers: readonly string[], flags: ReportFlags) => {
      checkFlags(flags, [first, ...peers]);
      const { out, statistics } = flags;
      const placed = (where: string): PlacedRun => ({ run: readRunReport(where), where });
      const runs = [placed(first), ...peers.map(placed)] as const;
      if (statistics !== undefined) writeStatistics(statistics, runs, context);
      const [ours, ...others] = runs.map(({ run }) => run);
      if (out !== undefined) writeCurves(out, [ours, ...others], context);
    });
};
