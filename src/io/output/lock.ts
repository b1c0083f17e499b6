import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { InputError } from '../../errors.ts';
import { fileError } from '../fileError.ts';
import { processesHere, processStart } from './processIdentity.ts';

/** Who holds a lock, as its file says. All but the token is missing from a file that was cut off. */
export interface Holder {
  readonly token: string;
  readonly pid?: number;
  readonly host?: string;
  /** UTC, as ISO 8601. */
  readonly since?: string;
  /** Where `pid` means a process, see `processesHere`. */
  readonly place?: string;
  readonly started?: string;
}

export interface LockTiming {
  /** How often the holder touches the file. */
  readonly beatMs: number;
  /** How often those who wait look. */
  readonly pollMs: number;
  /** A holder that cannot be asked for and was silent for so long is taken for dead. */
  readonly deadMs: number;
  /** This process's own clock, in ms; by default `performance.now`. */
  readonly now?: () => number;
}

export const usualTiming: LockTiming = { beatMs: 1000, pollMs: 250, deadMs: 10_000 };

export interface LockOptions {
  readonly timing: LockTiming;
  readonly signal?: AbortSignal;
  /** Called once when only time can show whether the holder lives. */
  readonly onDoubt?: (holder: Holder) => void;
}

/** A lock that this process holds until it is released. */
export interface Lock {
  /** Aborts, with an InputError, when another process has taken the lock over. */
  readonly lost: AbortSignal;
  release(): void;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function parsed(text: string): Holder {
  try {
    const { token, ...rest } = JSON.parse(text);
    if (typeof token === 'string') return { token, ...rest };
  } catch {
    // Its writer was killed while it wrote, or is another program.
  }
  return { token: text };
}

/** Who holds the lock and when it last showed itself; undefined when nobody does. */
function holderOf(path: string): { readonly holder: Holder; readonly seen: string } | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return { holder: parsed(text), seen: `${text} ${statSync(path).mtimeMs}` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(path, error);
  }
}

function take(path: string, me: Holder): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(me)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw fileError(path, error);
  }
}

/** Whether a holder lives; undefined where that cannot be asked from here. */
function lives({ pid, place, started }: Holder): boolean | undefined {
  if (pid === undefined || started === undefined) return undefined;
  if (place === undefined || place !== processesHere()) return undefined;
  const now = processStart(pid);
  return now === 'hidden' ? undefined : now === started;
}

const wait = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  pause(ms, undefined, { ...(signal && { signal }) }).catch(() => {
    throw signal?.reason;
  });

/**
 * Who holds the lock and whether that process lives; undefined when it is free. A process of this machine
 * is looked up. Any other is watched, by this process's own clock: it lives once it touches the file.
 */
async function look(path: string, { timing, signal, onDoubt }: LockOptions) {
  const now = timing.now ?? (() => performance.now());
  const began = now();
  const first = holderOf(path);
  for (let found = first; found !== undefined; found = holderOf(path)) {
    const { holder, seen } = found;
    const known = lives(holder);
    if (known !== undefined) return { holder, alive: known };
    if (seen !== first?.seen) return { holder, alive: true };
    if (now() - began > timing.deadMs) return { holder, alive: false };
    onDoubt?.(holder);
    onDoubt = undefined;
    await wait(timing.pollMs, signal);
  }
  return undefined;
}

/**
 * Removes the file of a dead holder. Between a look at it and its removal another process may have done the
 * same and taken the lock, so this takes a lock of its own, under which the file is looked at once more.
 */
async function removeDead(path: string, dead: Holder, me: Holder, options: LockOptions) {
  const guard = `${path}.takeover`;
  if ((await acquire(guard, me, options)) !== undefined) {
    return wait(options.timing.pollMs, options.signal);
  }
  try {
    if (holderOf(path)?.holder.token === dead.token) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** Takes the lock, or tells which living process holds it. */
async function acquire(
  path: string,
  me: Holder,
  options: LockOptions,
): Promise<Holder | undefined> {
  while (!take(path, me)) {
    const found = await look(path, options);
    if (found?.alive === true) return found.holder;
    if (found !== undefined) await removeDead(path, found.holder, me, options);
  }
  return undefined;
}

/** Holds a lock that was taken: touches its file until it is released or lost. */
function hold(path: string, me: Holder, { beatMs }: LockTiming): Lock {
  const lost = new AbortController();
  const holds = (): boolean => {
    try {
      const found = holderOf(path);
      // Somebody has removed the file by hand: nobody else holds it, so it is taken again.
      return found === undefined ? take(path, me) : found.holder.token === me.token;
    } catch {
      // A lock that can no longer be read or written is as good as lost.
      return false;
    }
  };
  const beat = setInterval(() => {
    try {
      if (holds()) return utimesSync(path, new Date(), new Date());
    } catch {
      // Nor is one that can no longer be touched: to the others this process looks dead.
    }
    clearInterval(beat);
    lost.abort(
      new InputError('another process has taken over what this one was writing', {
        where: path,
        fix: 'run the command again when that has ended',
      }),
    );
  }, beatMs);
  beat.unref();
  return {
    lost: lost.signal,
    release() {
      clearInterval(beat);
      try {
        if (holderOf(path)?.holder.token === me.token) rmSync(path, { force: true });
      } catch {
        // Whoever comes next finds the file of a process that is gone.
      }
    },
  };
}

/**
 * Takes the lock file at `path`, or tells at once who holds it. What a dead process left, by a kill or a
 * reboot, is taken over: that its pid may by now be another's is seen by when the process began, and a
 * holder on another machine is dead when it was silent for `deadMs`. Should a process that slept lose its
 * lock that way, `lost` tells it. Throws InputError when the file cannot be written, and the signal's
 * reason when that aborts.
 */
export async function tryLock(
  path: string,
  options: LockOptions,
): Promise<{ readonly lock: Lock } | { readonly holder: Holder }> {
  const place = processesHere();
  const started = place === undefined ? undefined : processStart(process.pid);
  const me: Holder = {
    token: randomBytes(16).toString('hex'),
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    ...(place && started && { place, started }),
  };
  const holder = await acquire(path, me, options);
  return holder === undefined ? { lock: hold(path, me, options.timing) } : { holder };
}

/**
 * Does `work` while holding the lock at `path`, after waiting for whoever holds it; `onWait` is called once
 * when there is somebody. The signal given to `work` aborts when `signal` does, or when the lock is lost.
 * Throws as `tryLock` does.
 */
export async function withLock<T>(
  path: string,
  options: LockOptions & { readonly onWait?: () => void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { timing, signal, onWait } = options;
  for (let waits = 0; ; waits++) {
    const taken = await tryLock(path, options);
    if ('holder' in taken) {
      if (waits === 0) onWait?.();
      await wait(timing.pollMs, signal);
      continue;
    }
    const { lost, release } = taken.lock;
    const stop = new AbortController();
    const byCaller = (): void => stop.abort(signal?.reason);
    lost.addEventListener('abort', () => stop.abort(lost.reason));
    signal?.addEventListener('abort', byCaller);
    if (signal?.aborted === true) byCaller();
    try {
      return await work(stop.signal);
    } finally {
      signal?.removeEventListener('abort', byCaller);
      release();
    }
  }
}
