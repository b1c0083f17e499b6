import { hostname } from 'node:os';
import { type ErrorDetail, UserError } from '../errors.ts';
import type { Communicator } from './communicator.ts';
import { gatherTexts } from './messages.ts';

/** What went wrong with one rank and ends all, who know of it: one of them is to tell. */
export class AgreedError extends UserError {
  override readonly name = 'AgreedError';
}

/** `rank 1 of 2 on node7`. */
export const nameOf = ({ rank, size }: Pick<Communicator, 'rank' | 'size'>): string =>
  `rank ${rank} of ${size} on ${hostname()}`;

/**
 * Does `work` on every rank; when one of them fails by somebody's mistake, all throw AgreedError, which says what the
 * first of them failed with. Other errors are thrown at once: nobody else hears of them.
 */
export async function agree<T>(comm: Communicator, work: () => Promise<T> | T): Promise<T> {
  const { done, failed } = await outcomeOf(work);
  const said = failed === undefined ? '' : `${comm.rank === 0 ? '' : `${nameOf(comm)}: `}${failed}`;
  const first = (await gatherTexts(comm, said)).find((text) => text !== '');
  if (first !== undefined) throw new AgreedError(first);
  return done as T;
}

async function outcomeOf<T>(work: () => Promise<T> | T): Promise<{ done?: T; failed?: string }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (error instanceof UserError) return { failed: error.message };
    throw error;
  }
}

/** Throws AgreedError on every rank where one has another `own` than rank 0, naming it and the first entry that differs. */
export async function checkSame(
  comm: Communicator,
  own: Readonly<Record<string, string>>,
  detail: ErrorDetail,
): Promise<void> {
  const all = (await gatherTexts(comm, JSON.stringify([nameOf(comm), own]))).map(
    (text) => JSON.parse(text) as [string, Record<string, string>],
  );
  const [[, first]] = all;
  for (const [rank, theirs] of all) {
    const differs = Object.keys(first).find((key) => theirs[key] !== first[key]);
    if (differs === undefined) continue;
    throw new AgreedError(`has not rank 0's ${differs}`, { ...detail, where: rank });
  }
}
