import { resolve } from 'node:path';
import { type Claim, claimDirectory, claimFile } from '../io/output/claim.ts';
import { live } from './terminal/liveLine.ts';

/** The directories and growing files that a command writes to: claimed one by one, let go of when it has ended. */
export interface Claims {
  /** Adds one that was claimed already. */
  add(claim: Claim): AbortSignal;
  /**
   * Claims a directory; asked for one that is held it gives the same signal, which aborts when the claim is
   * lost. Throws UsageError, with `fix`, where another process has it.
   */
  claim(directory: string, fix: string): Promise<AbortSignal>;
  /** The same for a file that grows. */
  claimFile(path: string, fix: string): Promise<void>;
  release(): void;
}

/** What to do where another process has the directory of a run. */
export const anotherDirectory = 'give another --dir';

export function openClaims(): Claims {
  const held = new Map<string, Claim>();
  const add = (claim: Claim): AbortSignal => {
    held.set(resolve(claim.path), claim);
    return claim.lost;
  };
  return {
    add,
    async claim(directory, fix) {
      const known = held.get(resolve(directory));
      return known?.lost ?? add(await claimDirectory(directory, fix, { tell: warn }));
    },
    async claimFile(path, fix) {
      const claim = await claimFile(path, fix, { tell: warn });
      if (claim !== undefined) add(claim);
    },
    release() {
      // The last first: one may lie inside another that was made for it.
      for (const claim of [...held.values()].reverse()) claim.release();
      held.clear();
    },
  };
}

/** Claims the directory of a report, if one is wanted. */
export async function claimReport(
  directory: string | undefined,
  claims: Claims,
): Promise<string | undefined> {
  if (directory !== undefined) {
    await claims.claim(directory, 'give another --report, or --no-report');
  }
  return directory;
}

/** A line on standard error about something that does not end the command. */
export const warn = (line: string): void => {
  live.say(`swa-align: ${line}`);
};
