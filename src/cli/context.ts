import type { Command } from 'commander';
import type { Claims } from './claims.ts';
import type { ExitCode } from './failure.ts';

/** What a command may do to the outside besides its work. */
export interface CliContext {
  /** A line for people: on standard output, or on standard error where a flag sends a file to the former. */
  print(text: string): void;
  /** The same, its lines never folded: a command or a program that somebody copies. */
  printWhole(text: string): void;
  /** How wide the terminal is that `print` writes to; Infinity where that is no terminal. */
  readonly columns: number;
  /** The command ran, and what it checked does not hold: exit code 1. Another code for another reason. */
  fail(code?: ExitCode): void;
  /** What the command writes to, released when it has ended. */
  readonly claims: Claims;
}

/** Gives a command its arguments, its flags and what it does. */
export type RegisterCommand = (command: Command, context: CliContext) => void;
