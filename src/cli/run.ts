import { Command, type CommanderError } from 'commander';
import { type StandardStream, writeStandard } from '../io/output/standardOutput.ts';
import { packageVersion } from '../version.ts';
import { checkApart } from './arguments/filesApart.ts';
import { withDashes } from './arguments/flags.ts';
import { flagOfStandardOutput } from './arguments/outputFlags.ts';
import { usageLine } from './arguments/usageLine.ts';
import { openClaims } from './claims.ts';
import { commands } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { type ExitCode, reportFailure } from './failure.ts';
import { painted } from './terminal/colour.ts';
import { columnsOf } from './terminal/folding.ts';
import { live } from './terminal/liveLine.ts';

/** Mistakes come back from the parser as errors, so only help is written; subcommands inherit this. */
const output = {
  writeOut: (text: string) => writeStandard('stdout', text),
  writeErr: (text: string) => writeStandard('stderr', text),
  outputError: () => {},
};

/** A mistake on the command line, and the command it was made in. */
class CommandLineError extends Error {
  readonly by: CommanderError;
  readonly command: Command;

  constructor(by: CommanderError, command: Command) {
    super(by.message);
    this.by = by;
    this.command = command;
  }
}

/** Adds every command by name, and those that are called with their flags: the others' modules are not loaded. */
export async function addCommands(
  program: Command,
  context: CliContext,
  called: readonly string[],
): Promise<void> {
  for (const [name, { description, load }] of Object.entries(commands)) {
    const command = program.command(name).description(description);
    if (called.includes(name)) (await load())(command, context);
  }
}

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

/** Runs one command line. The only place that turns errors into exit codes. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  let forPeople: StandardStream = 'stdout';
  const write = (text: string, columns: number): void => {
    live.clear();
    writeStandard(forPeople, `${painted(text, process[forPeople], columns)}\n`);
  };
  const context: CliContext = {
    print: (text) => write(text, context.columns),
    printWhole: (text) => write(text, Number.POSITIVE_INFINITY),
    get columns() {
      return columnsOf(process[forPeople]);
    },
    fail: (code = 1) => {
      exitCode = code;
    },
    claims: openClaims(),
  };
  const program = new Command('swa-align')
    .description(
      'Stochastic Weight Averaging in TypeScript, checked against PyTorch number by number',
    )
    .version(packageVersion)
    .configureOutput(output)
    .hook('preAction', (_, command) => {
      if (flagOfStandardOutput(command) !== undefined) forPeople = 'stderr';
      checkApart(command);
    });
  program.configureHelp({ subcommandTerm: (command) => command.name() });
  await addCommands(program, context, argv);
  for (const command of withSubcommands(program)) {
    command.exitOverride((error) => {
      throw new CommandLineError(error, command);
    });
  }
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
  if (error instanceof CommandLineError) {
    const { by, command } = error;
    if (by.exitCode === 0) return 0;
    // Asked for nothing, a command has written its help already.
    if (by.code !== 'commander.help') console.error(`swa-align: ${usageLine(by, command)}`);
    return 2;
  }
  return reportFailure('swa-align', error);
}
