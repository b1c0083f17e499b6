import { constants } from 'node:os';
import { Interrupted, UserError } from '../errors.ts';

/**
 * 0 passed, 1 a check failed, 2 bad usage or input, 70 a fault of ours (sysexits.h: EX_SOFTWARE), and as a
 * shell tells of a signal 128 + its number: 129 SIGHUP, 130 SIGINT (Ctrl-C), 143 SIGTERM.
 */
export type ExitCode = number;

export const interruptedCode = ({ signal }: Interrupted): ExitCode =>
  128 + constants.signals[signal];

/** Says in one line on standard error why a program ends, and gives back its exit code. */
export function reportFailure(program: string, error: unknown): ExitCode {
  if (error instanceof UserError) {
    console.error(`${program}: ${error.message}`);
    return error instanceof Interrupted ? interruptedCode(error) : 2;
  }
  const { name, message } =
    error instanceof Error ? error : { name: typeof error, message: String(error) };
  const what = `${name}: ${message}`.replace(/\s*\n\s*/g, ' ');
  const debug = (process.env.SWA_ALIGN_DEBUG ?? '') !== '';
  const trace = error instanceof Error && debug ? `\n${error.stack}` : '';
  const how = debug ? '' : '; SWA_ALIGN_DEBUG=1 shows where';
  console.error(`${program}: a fault of ${program}'s own, please report it: ${what}${how}${trace}`);
  return 70;
}

/** Errors that nobody waited for end the program as any other does, not in Node's stack trace and exit code 1. */
export function reportUncaught(program: string): void {
  process.on('uncaughtException', (error) => process.exit(reportFailure(program, error)));
}
