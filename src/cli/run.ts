import { Command, CommanderError } from 'commander';
import { type StandardStream, writeStandard } from '../io/standardOutput.ts';
import { packageVersion } from '../version.ts';
import { openClaims } from './claims.ts';
import { painted } from './colour.ts';
import { commands } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { type ExitCode, reportFailure } from './failure.ts';
import { withDashes } from './flags.ts';
import { live } from './liveLine.ts';
import { flagOfStandardOutput } from './outputFlags.ts';

/** Mistakes come back from the parser as errors; subcommands inherit this. */
const output = { writeOut: (text: string) => writeStandard('stdout', text), writeErr: () => {} };

/** Runs one command line. The only place that turns errors into exit codes. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  let forPeople: StandardStream = 'stdout';
  const context: CliContext = {
    print: (text) => {
      live.clear();
      writeStandard(forPeople, `${painted(text, process[forPeople])}\n`);
    },
    fail: (code = 1) => {
      exitCode = code;
    },
    claims: openClaims(),
  };
  const program = new Command('swa-align')
    .description('Stochastic Weight Averaging in TypeScript, held against PyTorch number by number')
    .version(packageVersion)
    .exitOverride()
    .configureOutput(output)
    .hook('preAction', (_, command) => {
      if (flagOfStandardOutput(command) !== undefined) forPeople = 'stderr';
    });
  for (const register of commands) register(program, context);
  try {
    await program.parseAsync(withDashes(argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    live.clear();
    return report(error);
  } finally {
    live.clear();
    context.claims.release();
  }
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const help = error.code === 'commander.help';
    const line = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    console.error(
      `swa-align: ${help ? 'name a command' : line}; \`swa-align --help\` lists what there is`,
    );
    return 2;
  }
  return reportFailure('swa-align', error);
}
