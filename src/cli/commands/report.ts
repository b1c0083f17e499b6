import { basename, dirname } from 'node:path';
import { UsageError } from '../../errors.ts';
import { comparedCurves, mostRuns } from '../../report/runCurves.ts';
import { runTable } from '../../report/runTable.ts';
import type { RegisterCommand } from '../context.ts';
import { readRunReport, writeTexts } from '../runReportFiles.ts';

const ending = /\.svg$/;

/** Lays finished runs beside each other: one picture, and a table in a Markdown file of the same name. */
export const report: RegisterCommand = (program, context) => {
  program
    .command('report')
    .description('curves of finished runs in one picture, and a table beside it')
    .argument('<run>', 'directory of a report, drawn with solid lines')
    .argument(
      '[peers...]',
      'reports to be laid beside it, dashed: ours or fixtures/train_in_torch.py’s',
    )
    .requiredOption('--out <file>', 'the .svg to write; the table goes to the .md beside it')
    .action((first: string, peers: readonly string[], { out }: { readonly out: string }) => {
      if (!ending.test(out)) {
        throw new UsageError('the picture is an .svg', { where: out, fix: 'name it so' });
      }
      if (1 + peers.length > mostRuns) {
        throw new UsageError(`one picture tells ${mostRuns} runs apart, not ${1 + peers.length}`, {
          fix: 'name fewer',
        });
      }
      const ours = readRunReport(first);
      const others = peers.map(readRunReport);
      const table = runTable([ours, ...others]);
      const picture = basename(out);
      const tableFile = picture.replace(ending, '.md');
      writeTexts(dirname(out), {
        [picture]: comparedCurves([ours, ...others]),
        [tableFile]: `![curves](${picture})\n\n${table}`,
      });
      context.print(`${table}\npicture in ${out}`);
    });
};
