/** Reads damaged files one after the other in a process of its own, and reports what each has cost. */
import { readdirSync, rmSync } from 'node:fs';
import { UserError } from '../../src/errors.ts';
import { freshDirectory, type ReaderName, readers } from './readers.ts';

export interface Order {
  readonly reader: ReaderName;
  readonly bytes: Uint8Array;
}

export interface Outcome {
  readonly kind: 'read' | 'refused' | 'failed';
  /** The refusal's message, or what went wrong. */
  readonly message: string;
  /** Processor time, user and system, in milliseconds. */
  readonly cpu: number;
  /** The most memory this process has ever held, in MiB. */
  readonly peak: number;
}

const MiB = 2 ** 20;
const root = process.argv[2];

function refusalOrFailure(error: unknown): Pick<Outcome, 'kind' | 'message'> {
  if (!(error instanceof UserError)) {
    return {
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? '') : String(error),
    };
  }
  const { message } = error;
  if (/[\r\n]/.test(message)) return { kind: 'failed', message: `more than a line: ${message}` };
  if (!error.where) return { kind: 'failed', message: `names no file: ${message}` };
  return { kind: 'refused', message };
}

async function read({ reader, bytes }: Order): Promise<Pick<Outcome, 'kind' | 'message'>> {
  const dir = freshDirectory(root);
  try {
    const wrong = await readers[reader](bytes, dir);
    if (wrong !== undefined) return { kind: 'failed', message: `a wrong answer: ${wrong}` };
    return { kind: 'read', message: '' };
  } catch (error) {
    return refusalOrFailure(error);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

process.on('message', async (order: Order) => {
  const before = process.cpuUsage();
  let outcome = await read(order);
  const { user, system } = process.cpuUsage(before);
  const { arrayBuffers } = process.memoryUsage();
  const stray = readdirSync(root);
  if (stray.length > 0)
    outcome = { kind: 'failed', message: `wrote ${stray[0]} outside its place` };
  // What one file took must not be counted to the next.
  if (arrayBuffers > 64 * MiB) globalThis.gc?.();
  const peak = Math.max(process.resourceUsage().maxRSS / 1024, arrayBuffers / MiB);
  process.send!({ ...outcome, cpu: (user + system) / 1000, peak } satisfies Outcome);
});
process.send!('ready');
