import type { Command } from 'commander';
import type { NameChoice } from '../../align/judge/chosen.ts';
import { reporterNames } from '../../report/reporters/reporters.ts';
import { more } from '../arguments/flags.ts';
import { outputFile, outputFiles } from '../arguments/outputFlags.ts';
import type { ReportTarget } from '../diff/reportFiles.ts';

/** Which tensors of a recording are judged, and under which names. */
export interface ChoiceFlags extends NameChoice {
  readonly map?: string;
}

/** What is written of it. */
export interface WrittenFlags {
  readonly reporter?: readonly ReportTarget[];
  readonly json?: string;
  readonly junit?: string;
  readonly log?: string;
}

/** `--map`, `--only` and `--except`: which is which, and what is chosen of. */
export const choiceFlags = (command: Command, which: string, thing: string): Command =>
  command
    .option('--map <file>', `${which}: docs/judge-your-port.md`)
    .option('--only <glob>', `only ${thing}s whose names match; may be repeated: "encoder.*"`, more)
    .option('--except <glob>', `not ${thing}s whose names match; may be repeated`, more);

/** `--reporter` and its short forms. */
export const reportFlags = (command: Command): Command =>
  command
    .addOption(
      outputFiles('--reporter <name=file>', 'a report to write; may be repeated', reporterNames),
    )
    .addOption(outputFile('--json <file>', 'short for --reporter json=FILE'))
    .addOption(outputFile('--junit <file>', 'short for --reporter junit=FILE'))
    .addOption(outputFile('--log <file>', 'short for --reporter log=FILE'));
