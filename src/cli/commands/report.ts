import { basename } from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { comparedCurves, mostRuns } from '../../report/training/runCurves.ts';
import { runTable } from '../../report/training/runTable.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';
import { readRunReport } from '../train/runReportFiles.ts';

const ending = '.svg';

/** Lays finished runs beside each other: one picture, and a table in a Markdown file of the same name. */
export const report: RegisterCommand = (command, context) => {
  command
    .argument('<run>', 'directory of a report, drawn with solid lines')
    .argument(
      '[peers...]',
      'reports to be laid beside it, dashed: ours or fixtures/train_in_torch.py’s',
    )
    .addOption(
      outputFile(
        '--out <file>',
        'the .svg to write; the table goes to the .md beside it',
        ending,
      ).makeOptionMandatory(),
    )
    .action((first: string, peers: readonly string[], { out }: { readonly out: string }) => {
      if (1 + peers.length > mostRuns) {
        throw new UsageError(`one picture tells ${mostRuns} runs apart, not ${1 + peers.length}`, {
          fix: 'name fewer',
        });
      }
      const ours = readRunReport(first);
      const others = peers.map(readRunReport);
      const write = (path: string, text: string): void => writeFileAtomic(path, text);
      write(out, comparedCurves([ours, ...others]));
      if (out.endsWith(ending)) {
        write(
          `${out.slice(0, -ending.length)}.md`,
          `![curves](${basename(out)})\n\n${runTable([ours, ...others])}`,
        );
      }
      context.print(`${runTable([ours, ...others], context.columns)}\npicture in ${named(out)}`);
    });
};
