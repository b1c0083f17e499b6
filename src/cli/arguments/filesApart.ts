import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { destinationOf } from '../../io/output/destination.ts';
import { filesToWrite, isOutput } from './outputFlags.ts';

/** A path without links, whose last folders need not be there yet. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(withoutLinks(folder), basename(path));
  }
}

/** The same for every name of a regular file, hard links too; undefined for what is none, or lies nowhere. */
export function fileBehind(path: string): string | undefined {
  try {
    const to = destinationOf(path);
    if (to.kind !== 'file') return undefined;
    const { old } = to;
    return old !== undefined && old.ino !== 0
      ? `${old.dev}:${old.ino}`
      : withoutLinks(resolve(to.path));
  } catch {
    return undefined;
  }
}

/** What a command is given to read: its words, and its flags that name a file. */
const filesToRead = (command: Command): string[] => [
  ...command.args,
  ...command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    const isFile = /[<[]file[>\]]/.test(option.flags) && !isOutput(option);
    return isFile && typeof value === 'string' ? [value] : [];
  }),
];

/**
 * Throws UsageError where a command would write one file twice, so that the first is lost, or over a file that it
 * reads. Devices and pipes take what comes.
 */
export function checkApart(command: Command): void {
  const read = new Set(filesToRead(command).map(fileBehind));
  const written = new Map<string, string>();
  for (const { flag, path } of filesToWrite(command)) {
    const file = fileBehind(path);
    if (file === undefined) continue;
    const mistake = (what: string) =>
      new UsageError(what, { where: path, fix: `name another file for ${flag}` });
    if (read.has(file)) throw mistake(`is read by ${command.name()}; ${flag} would write over it`);
    const before = written.get(file);
    if (before === flag) throw mistake(`would be written twice by ${flag}`);
    if (before !== undefined) throw mistake(`would be written by ${before} and by ${flag}`);
    written.set(file, flag);
  }
}
