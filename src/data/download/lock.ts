import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { InputError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';

export interface LockTiming {
  /** How often the holder touches the file. */
  readonly beatMs: number;
  /** How often those who wait look. */
  readonly pollMs: number;
  /** A holder that was silent for so long is taken for dead. */
  readonly deadMs: number;
  /** This process's own clock, in ms; by default `performance.now`. */
  readonly now?: () => number;
}

export const usualTiming: LockTiming = { beatMs: 1000, pollMs: 250, deadMs: 10_000 };

export interface LockOptions {
  readonly timing: LockTiming;
  readonly signal: AbortSignal;
  readonly onWait: () => void;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Who holds the lock and when it last showed itself; undefined when nobody does. */
function holderOf(path: string): { readonly token: string; readonly seen: string } | undefined {
  try {
    const token = readFileSync(path, 'utf8');
    return { token, seen: `${token} ${statSync(path).mtimeMs}` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(path, error);
  }
}

function take(path: string, token: string): boolean {
  try {
    writeFileSync(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw fileError(path, error);
  }
}

/** Waits until the lock is free, or its holder has not moved for `deadMs` of this process's own clock. */
async function acquire(path: string, token: string, options: LockOptions): Promise<void> {
  const { timing, signal, onWait } = options;
  const clock = timing.now ?? (() => performance.now());
  let watched = { seen: '', since: 0 };
  let told = false;
  while (!take(path, token)) {
    const now = clock();
    const holder = holderOf(path);
    if (holder === undefined) continue;
    if (holder.seen !== watched.seen) watched = { seen: holder.seen, since: now };
    if (now - watched.since > timing.deadMs) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) onWait();
    told = true;
    await pause(timing.pollMs, undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}

/**
 * Does `work` while holding the lock file at `path`, so that two processes share one download instead
 * of making two. The holder touches the file as long as it lives, hence a lock that a killed process
 * left is taken over after `deadMs` without comparing the clocks of two machines. Should a process that
 * slept lose its lock that way, the signal given to `work` aborts; the data are safe even so, because
 * what is installed was verified first and takes its place by one rename. Throws InputError when the
 * lock cannot be written, and the signal's reason when that aborts.
 */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const token = randomBytes(16).toString('hex');
  await acquire(path, token, options);
  const held = new AbortController();
  const isMine = (): boolean => {
    try {
      return holderOf(path)?.token === token;
    } catch {
      // A lock that can no longer be read is as good as lost.
      return false;
    }
  };
  const stop = (): void => held.abort(options.signal.reason);
  const beat = setInterval(() => {
    try {
      if (isMine()) return utimesSync(path, new Date(), new Date());
    } catch {
      // Nor is one that can no longer be touched: to the others this process looks dead.
    }
    held.abort(
      new InputError('another process has taken over the download', {
        where: path,
        fix: 'run the command again',
      }),
    );
  }, options.timing.beatMs);
  options.signal.addEventListener('abort', stop);
  if (options.signal.aborted) stop();
  try {
    return await work(held.signal);
  } finally {
    clearInterval(beat);
    options.signal.removeEventListener('abort', stop);
    if (isMine()) rmSync(path, { force: true });
  }
}
