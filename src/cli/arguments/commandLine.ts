import { basename, relative } from 'node:path';
import type { Command, Option } from 'commander';
import { more } from './flags.ts';
import type { NamedFile } from './outputFlags.ts';

/** A word as a POSIX shell reads it back. */
export const shellQuoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** What stands behind a flag, each time that it is given. */
function valuesOf({ parseArg }: Option, value: unknown): string[] {
  if (!Array.isArray(value)) return [String(value)];
  if (parseArg === more) return value;
  const isFile = (item: unknown): item is NamedFile<string> => typeof item === 'object';
  return value.some(isFile)
    ? value.filter(isFile).map(({ name, file }) => `${name}=${file}`)
    : [String(value)];
}

/** The words that were given for a command, without those of the named flags. */
export function givenWords(command: Command, without: ReadonlySet<string> = new Set()): string[] {
  const flags = command.options.flatMap((option) => {
    const key = option.attributeName();
    if (command.getOptionValueSource(key) !== 'cli' || without.has(key)) return [];
    const value: unknown = command.getOptionValue(key);
    // `--report` and `--no-report` set one value between them.
    if (option.negate !== (value === false)) return [];
    const flag = option.long ?? option.flags;
    if (typeof value === 'boolean') return [flag];
    return valuesOf(option, value).flatMap((text) => [flag, text]);
  });
  return [...command.args, ...flags];
}

/** The command as it was called, to be called again. */
export const commandLine = (command: Command): string =>
  ['swa-align', command.name(), ...givenWords(command)].map(shellQuoted).join(' ');

/** How this program was started: by its name, by npm, or by its file. */
export interface Started {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
}

const here = (): Started => ({ argv: process.argv, env: process.env, cwd: process.cwd() });

/** What to type before a command of this program in the same place, `npm run train --` for `train`. */
function invocation(name: string, { argv, env, cwd }: Started): string[] {
  const { npm_package_name: project, npm_lifecycle_event: script } = env;
  if (project === 'swa-align' && script === name) return ['npm', 'run', name, '--'];
  if (project === 'swa-align' && script === 'cli') return ['npm', 'run', '-s', 'cli', '--', name];
  const [, file = ''] = argv;
  if (/^swa-align(\.\w+)?$/.test(basename(file))) {
    return [...(env.npm_command === 'exec' ? ['npx'] : []), 'swa-align', name];
  }
  const path = relative(cwd, file);
  return [...(path.endsWith('.ts') ? ['npx', 'tsx'] : ['node']), path, name];
}

/** A line for the shell that runs a command of this program, started as it was now. */
export const shellLine = (
  name: string,
  words: readonly string[],
  started: Started = here(),
): string => [...invocation(name, started), ...words].map(shellQuoted).join(' ');
