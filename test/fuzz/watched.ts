import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Order, Outcome } from './child.ts';

const script = fileURLToPath(new URL('child.ts', import.meta.url));

/** By the clock: only to get away from a reader that hangs; what is judged is processor time. */
const patience = 60_000;

/** A process that reads damaged files, and is replaced when it dies of one. */
export interface Watched {
  /** Reads one file; a crash or a hang of the process is an outcome too. */
  read(order: Order): Promise<Outcome>;
  stop(): void;
}

const failed = (message: string): Outcome => ({ kind: 'failed', message, cpu: 0, peak: 0 });

/** The next message of the child, or what became of it. */
function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
    }, patience);
    const onMessage = (message: unknown): void => finish(message);
    const onExit = (code: number | null, signal: string | null): void =>
      finish(failed(`the process ended with ${signal ?? code}`));
    const finish = (value: unknown): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(value);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

/** Starts with nothing; the process comes with the first file. */
export function watchedReader(): Watched {
  const root = mkdtempSync(join(tmpdir(), 'swa-align-fuzz-'));
  let child: ChildProcess | undefined;
  const started = async (): Promise<ChildProcess> => {
    if (child?.connected) return child;
    child = fork(script, [root], {
      execArgv: ['--import', 'tsx', '--expose-gc', '--max-old-space-size=700'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await answer(child);
    return child;
  };
  return {
    async read(order) {
      const process = await started();
      const outcome = answer(process);
      process.send(order);
      return (await outcome) as Outcome;
    },
    stop() {
      child?.kill('SIGKILL');
      rmSync(root, { recursive: true, force: true });
    },
  };
}
