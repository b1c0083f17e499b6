import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { UsageError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { destinationOf, isStandardOutput } from '../../io/output/destination.ts';

const outputs = new WeakMap<Option, 'file' | 'directory'>();

/** Whether a flag names what a command writes. */
export const isOutput = (option: Option): boolean => outputs.has(option);

/** What a file must be named, where it is one that has a name: no device, no pipe. */
function checkFile(path: string, flag: string, ending: string | undefined): void {
  let to: ReturnType<typeof destinationOf>;
  try {
    to = destinationOf(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (to.kind === 'directory') {
    throw new UsageError('is a directory', { where: path, fix: `${flag} names a file` });
  }
  if (to.kind === 'file' && ending !== undefined && !path.endsWith(ending)) {
    throw new UsageError(`does not end in ${ending}`, {
      where: path,
      fix: `give another name`,
    });
  }
}

/**
 * A flag that names a file to write, `-` for standard output, which then holds nothing else: what a command
 * prints for people goes to standard error. Checked before anything is computed.
 */
export function outputFile(flags: string, description: string, ending?: string): Option {
  const option = new Option(flags, description);
  option.argParser((path: string) => {
    checkFile(path, option.long ?? flags, ending);
    return path;
  });
  outputs.set(option, 'file');
  return option;
}

/** A file to write, and in which of several forms. */
export interface NamedFile<Name extends string> {
  readonly name: Name;
  readonly file: string;
}

/** A flag that may be given several times, each time with one of `names` and a file: `--reporter junit=FILE`. */
export function outputFiles<Name extends string>(
  flags: string,
  description: string,
  names: readonly Name[],
): Option {
  const option = new Option(flags, description);
  option.argParser((text: string, before: readonly NamedFile<Name>[] | undefined) => {
    const [form, ...rest] = text.split('=');
    const file = rest.join('=');
    const name = names.find((known) => known === form);
    if (name === undefined || file === '') {
      throw new UsageError(`${option.long} ${text} names no form and file`, {
        fix: `write ${option.long} ${names[0]}=FILE; the forms are ${names.join(', ')}`,
      });
    }
    checkFile(file, option.long ?? flags, undefined);
    return [...(before ?? []), { name, file }];
  });
  outputs.set(option, 'file');
  return option;
}

/** The files that a flag was given. */
const filesOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as NamedFile<string>[]).map(({ file }) => file) : [];
};

/** A flag that names a directory to write into, made where it is missing. */
export function outputDirectory(flags: string, description: string, standard?: string): Option {
  const option = new Option(flags, description);
  option.argParser((path: string) => {
    const flag = option.long ?? flags;
    const fix = `${flag} names a directory`;
    if (path === '-') throw new UsageError('is standard output', { where: path, fix });
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) {
      throw new UsageError('exists and is not a directory', { where: path, fix });
    }
    return path;
  });
  outputs.set(option, 'directory');
  return standard === undefined ? option : option.default(standard);
}

/** How a sentence calls a file to write. */
export const named = (path: string): string => (path === '-' ? 'standard output' : path);

/** A file that a command writes, and the flag that names it. */
export interface FileToWrite {
  readonly flag: string;
  readonly path: string;
}

/** Every file that the flags of a command name to be written, in the order of its help. */
export const filesToWrite = (command: Command): FileToWrite[] =>
  command.options.flatMap((option) => {
    if (outputs.get(option) !== 'file') return [];
    const flag = option.long ?? option.flags;
    const files = filesOf(command.getOptionValue(option.attributeName()));
    return files.map((path): FileToWrite => ({ flag, path }));
  });

/** The flag of a command that sends a file to standard output. Throws UsageError for a second one. */
export function flagOfStandardOutput(command: Command): string | undefined {
  const found = filesToWrite(command).filter(({ path }) => isStandardOutput(path));
  const [first, second] = found.map(({ flag }) => flag);
  if (second !== undefined) {
    throw new UsageError(`${first} and ${second} cannot both be standard output`, {
      fix: 'name a file for one of them',
    });
  }
  return first;
}
