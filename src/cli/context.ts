import type { Command } from 'commander';

/** What a command may do to the outside besides its work. */
export interface CliContext {
  /** A line for people: on standard output, or on standard error where a flag sends a file to the former. */
  print(text: string): void;
  /** The command ran, and what it checked does not hold: exit code 1. */
  fail(): void;
}

/** Adds a command to the program. */
export type RegisterCommand = (program: Command, context: CliContext) => void;
