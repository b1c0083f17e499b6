import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { fileError } from '../fileError.ts';
import { destinationOf } from './destination.ts';
import { type Holder, type LockTiming, tryLock } from './lock.ts';

/** A directory, or a file that grows, that this process alone writes to until it lets go of it. */
export interface Claim {
  readonly path: string;
  /** Aborts, with an InputError, when another process has taken it over. */
  readonly lost: AbortSignal;
  /** Also removes directories that were made for the claim and that nothing came into. */
  release(): void;
}

export interface ClaimOptions {
  readonly timing?: LockTiming;
  /** Told when it takes a while to see whether the holder lives. */
  readonly tell?: (line: string) => void;
}

const lockName = '.swa-align.lock';

/** Longer than a process keeps its main thread for a save on a slow disk. */
const claimTiming: LockTiming = { beatMs: 1000, pollMs: 250, deadMs: 30_000 };

const who = ({ pid, host, since }: Holder): string =>
  pid === undefined
    ? 'another process'
    : `process ${pid} on ${host}, since ${since?.slice(0, 19).replace('T', ' ')} UTC`;

/** The directories that were made and hold nothing, from the inside out. */
function removeEmpty(directory: string, firstMade: string): void {
  const top = dirname(resolve(firstMade));
  try {
    for (let dir = resolve(directory); dir !== top; dir = dirname(dir)) rmdirSync(dir);
  } catch {
    // Something lies in it now.
  }
}

type Taken = { readonly claim: Claim } | { readonly holder: Holder };

/** Claims `path` by a lock file, whose directory is made when missing. */
async function tryLockFor(
  path: string,
  lock: string,
  { timing = claimTiming, tell }: ClaimOptions,
): Promise<Taken> {
  const directory = dirname(lock);
  let made: string | undefined;
  try {
    made = mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw fileError(directory, error, 'name another directory');
  }
  const onDoubt = (holder: Holder): void =>
    tell?.(
      `${path}: was claimed by ${who(holder)}; checking for up to ${timing.deadMs / 1000} s whether that still runs`,
    );
  const taken = await tryLock(lock, { timing, onDoubt });
  if ('holder' in taken) return taken;
  const { lost, release } = taken.lock;
  return {
    claim: {
      path,
      lost,
      release() {
        release();
        if (made !== undefined) removeEmpty(directory, made);
      },
    },
  };
}

/**
 * Claims a directory, made when missing, or tells who holds it. Throws InputError where it cannot be
 * written to.
 */
export const tryClaim = (directory: string, options: ClaimOptions = {}): Promise<Taken> =>
  tryLockFor(directory, join(directory, lockName), options);

function claimed(path: string, fix: string, taken: Taken): Claim {
  if ('claim' in taken) return taken.claim;
  throw new UsageError(`another run is writing here (${who(taken.holder)})`, {
    where: path,
    fix: `wait until it has ended, or ${fix}`,
  });
}

/** Claims a directory; throws UsageError, naming the holder and `fix`, where another process has it. */
export const claimDirectory = async (
  directory: string,
  fix: string,
  options?: ClaimOptions,
): Promise<Claim> => claimed(directory, fix, await tryClaim(directory, options));

/** The same for a file; undefined for a device, a pipe or a standard stream, which anybody may write into. */
export async function claimFile(
  path: string,
  fix: string,
  options: ClaimOptions = {},
): Promise<Claim | undefined> {
  const to = destinationOf(path);
  if (to.kind !== 'file') return undefined;
  return claimed(path, fix, await tryLockFor(path, `${to.path}.lock`, options));
}
