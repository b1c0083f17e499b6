import { fileError } from '../../io/fileError.ts';

/** Whoever read has gone, a closed pipe or terminal: their choice, and nobody's fault. */
const readerIsGone: ReadonlySet<unknown> = new Set([
  'EPIPE',
  'ECONNRESET',
  'EIO',
  'ERR_STREAM_DESTROYED',
]);

/**
 * Lets a command do its work to the end when its output is not taken: training goes on, reports are written,
 * and the exit code is the result's own. Output lost for another reason than a reader who left, a full
 * disk say, is told in one line and ends in exit code 2.
 */
export function outliveOutput(program: string): void {
  let lost = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost || readerIsGone.has(error.code)) return;
    lost = true;
    const told = fileError('standard output', error);
    console.error(`${program}: ${told instanceof Error ? told.message : told}`);
  });
  // There is no place left to say it.
  process.stderr.on('error', () => {});
  process.on('exit', (code) => {
    if (lost && code < 2) process.exitCode = 2;
  });
}
