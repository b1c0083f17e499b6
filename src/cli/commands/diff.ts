import { join } from 'node:path';
import type { Command } from 'commander';
import { stageNames } from '../../align/reference/manifest.ts';
import { checkBackend } from '../../backends/registry.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { allPassed } from '../../report/diffReport.ts';
import { githubAnnotations } from '../../report/reporters/githubAnnotations.ts';
import { matrixJson, matrixLines } from '../../report/reporters/matrixReport.ts';
import { reporterNames, reporters } from '../../report/reporters/reporters.ts';
import { backendFlags, precisionFlag } from '../arguments/backendFlags.ts';
import { commandLine } from '../arguments/commandLine.ts';
import { commaList } from '../arguments/flags.ts';
import { outputDirectory, outputFile, outputFiles } from '../arguments/outputFlags.ts';
import { claimReport } from '../claims.ts';
import type { RegisterCommand } from '../context.ts';
import { follow, matrixOn } from '../diff/follow.ts';
import type { DiffOptions } from '../diff/options.ts';
import {
  besides,
  references,
  stagesCalled,
  usualBesides,
  usualModels,
} from '../diff/references.ts';
import { conclusion, versions } from '../diff/report.ts';
import { pageDirectory, reportTargets, writeReports } from '../diff/reportFiles.ts';
import { givenTo, runsOf } from '../diff/runs.ts';
import { live } from '../terminal/liveLine.ts';

const reporterHelp = Object.entries(reporters)
  .map(([name, { what }]) => `${name} (${what})`)
  .join(', ');

export const diff: RegisterCommand = (command, context) => {
  command
    .argument('[stages...]', `any of ${stageNames.join(', ')} (all)`)
    .option(
      '--model <name>',
      `one model, or all (${usualModels.join(' and ')}, ${usualBesides.stage} of ${usualBesides.model})`,
    )
    .option('--reference <dir>', 'reference directory (the package’s)');
  precisionFlag(backendFlags(command))
    .option('--all-backends', 'every backend this machine has, side by side')
    .option('--backends <list>', 'these, side by side: ort,tfjs:tensorflow,oracle', commaList)
    .option(
      '--weights <file>',
      'weights to use instead of the regenerated ones (.pt, .safetensors, .npz)',
    )
    .addOption(outputDirectory('--out <dir>', 'where logs and recordings go', 'diff'))
    .addOption(
      outputFiles(
        '--reporter <name=file>',
        `a report to write; may be repeated: ${reporterHelp}`,
        reporterNames,
      ),
    )
    .addOption(outputFile('--json <file>', 'short for --reporter json=FILE'))
    .option(
      '--trace',
      'also show one training step layer by layer, with the first divergence marked',
    )
    .option(
      '--flips',
      'look for decisions that rounding flipped, however long the float64 oracle takes',
    )
    .option('--tolerances <file>', 'limits set by hand for single tensors, each with its reason')
    .addOption(outputFile('--junit <file>', 'short for --reporter junit=FILE'))
    .addOption(
      outputDirectory(
        '--report <dir>',
        'where diff.html and diff.md go (reports, or the directory of --out where that is given)',
      ),
    )
    .option('--no-report', 'write neither diff.html nor diff.md')
    .action(async (names: string[], options: DiffOptions, command: Command) => {
      const wanted = stagesCalled(names);
      for (const name of options.backends ?? []) checkBackend(name);
      const ownOut = command.getOptionValueSource('out') === 'cli';
      const page = pageDirectory(options, ownOut ? options.out : 'reports');
      const opened = [...references(options, wanted), ...besides(options, wanted)];
      const given = givenTo(options, opened, context);
      await context.claims.claim(options.out, 'give another --out');
      await claimReport(page, context.claims);
      const runs = await runsOf(options, opened, wanted, given);
      const found = await follow(runs, options, context);
      live.begin('writing the reports');
      const facts = { time: new Date(), command: commandLine(command) };
      const { reports } = found;
      writeReports(reportTargets(options, page), reports, facts);
      const everything = join(options.out, 'backends.json');
      if (runs.sideBySide) {
        const matrices = opened.map((reference) => matrixOn(reference, found));
        writeFileAtomic(everything, matrixJson(matrices, versions()));
        for (const matrix of matrices) {
          for (const line of matrixLines(matrix, context.columns)) context.print(line);
        }
      }
      if (!allPassed(reports)) context.fail();
      context.print(conclusion(reports, options.out));
      if (runs.sideBySide) context.print(`side by side in ${everything}`);
      if (page !== undefined) context.print(`report in ${join(page, 'diff.html')}`);
      if (process.env.GITHUB_ACTIONS === 'true') {
        for (const line of githubAnnotations(reports)) context.printWhole(line);
      }
    });
};
