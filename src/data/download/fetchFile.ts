import { setTimeout as pause } from 'node:timers/promises';
import { InputError } from '../../errors.ts';
import { withoutDownload } from './advice.ts';
import { attempt, Broken } from './attempt.ts';
import { amount, type Report } from './events.ts';
import { readPartial } from './partialFile.ts';

/** How patient a download is. */
export interface Patience {
  /** Attempts in a row that bring nothing new. */
  readonly tries: number;
  /** Attempts to reach a server that has not answered once: then there is most likely no network. */
  readonly triesWithoutAnswer: number;
  /** Before the second attempt; doubled from then on. */
  readonly pauseMs: number;
  readonly stallMs: number;
}

export const usualPatience: Patience = {
  tries: 6,
  triesWithoutAnswer: 2,
  pauseMs: 1000,
  stallMs: 30_000,
};

export interface FetchRequest {
  readonly url: string;
  readonly part: string;
  readonly mostBytes: number;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** An attempt brought something when it got this much further than any before it. */
const worthCounting = 2 ** 20;

function gaveUp({ url, part }: FetchRequest, error: Broken, answered: boolean): InputError {
  if (!answered) {
    return new InputError(`cannot be reached (${error.message})`, {
      where: url,
      fix: withoutDownload,
    });
  }
  const here = readPartial(part, url);
  if (here === undefined) {
    return new InputError(`cannot be fetched (${error.message})`, {
      where: url,
      fix: withoutDownload,
    });
  }
  return new InputError(
    `the connection broke after ${amount(here.bytes, here.origin.total)} (${error.message})`,
    { where: url, fix: `try again later to continue from there, ${withoutDownload}` },
  );
}

/**
 * Brings a file to `part` in as many pieces as it takes. Gives whether it came in one, complete for
 * certain. Throws InputError, in one line, when patience is at its end or the server refuses, and the
 * signal's reason when that aborts; what has come stays at `part` for the next time.
 */
export async function fetchFile(request: FetchRequest): Promise<{ readonly inOnePiece: boolean }> {
  const { url, part, patience, signal, report } = request;
  const bytesHere = (): number => readPartial(part, url)?.bytes ?? 0;
  let furthest = bytesHere();
  let failures = 0;
  let answered = false;
  while (true) {
    try {
      return await attempt({ ...request, stallMs: patience.stallMs });
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      answered ||= error.answered;
      const received = bytesHere();
      failures = received >= furthest + worthCounting ? 1 : failures + 1;
      furthest = Math.max(furthest, received);
      if (failures >= (answered ? patience.tries : patience.triesWithoutAnswer)) {
        throw gaveUp(request, error, answered);
      }
      const wait = patience.pauseMs * 2 ** (failures - 1);
      // Without a network the one line at the end says it all.
      if (answered) report({ kind: 'broken', why: error.message, received, seconds: wait / 1000 });
      await pause(wait, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
  }
}
