import { open } from 'node:fs/promises';
import { InputError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { anotherMirror } from './advice.ts';
import { mebibytes, type Report } from './events.ts';
import { contentLength, continues, rangeHeaders, validatorOf } from './httpRange.ts';
import { discardPartial, noteOrigin, type Origin, readPartial } from './partialFile.ts';

/** One request for a file. */
export interface Attempt {
  readonly url: string;
  /** Where the bytes go; what an earlier attempt left there is gone on with. */
  readonly part: string;
  /** The connection counts as broken when nothing comes for so long. */
  readonly stallMs: number;
  readonly mostBytes: number;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** The connection failed or broke; another attempt may do better. */
export class Broken extends Error {
  override readonly name = 'Broken';
  /** Whether a server had answered. */
  readonly answered: boolean;

  constructor(why: string, answered: boolean) {
    super(why);
    this.answered = answered;
  }
}

/** The causes that `fetch` wraps say more than its own "fetch failed"; several addresses give several causes. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return (error.message || code).replace(/\s+/g, ' ');
}

const worthAnotherTry = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || status >= 500;

const refusal = (url: string, what: string): InputError =>
  new InputError(what, { where: url, fix: anotherMirror });

/** What an answer means for the bytes at hand. Throws Broken, or InputError where trying again is no use. */
function judge(
  response: Response,
  from: number,
  origin: Origin | undefined,
  { url, part }: Attempt,
): { readonly from: number; readonly total: number | undefined } {
  const { status, headers } = response;
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (status === 206 && origin !== undefined && continues(headers, from, origin)) {
    return { from, total: origin.total };
  }
  if (status === 206 || status === 416) {
    // The beginning at hand is not of the file that the server has: the next attempt asks for all of it.
    discardPartial(part);
    throw new Broken(`the server has no continuation of the first ${mebibytes(from)}`, true);
  }
  if (worthAnotherTry(status)) throw new Broken(`the server answered ${status}`, true);
  if (status !== 200) throw refusal(url, `the server answered ${status}`);
  // What fetch hands out has been decoded, so that neither length nor checksum would fit.
  if (encoding !== 'identity') throw refusal(url, `the server sends it encoded (${encoding})`);
  return { from: 0, total: contentLength(headers) };
}

/** Ends the request when the caller wishes it, or when nothing came for `stallMs`. */
function watch({ signal, stallMs }: Attempt) {
  const controller = new AbortController();
  const state = { stalled: false };
  const stop = (): void => controller.abort();
  const stall = (): void => {
    state.stalled = true;
    controller.abort();
  };
  let timer = setTimeout(stall, stallMs);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  return {
    signal: controller.signal,
    state,
    alive(): void {
      clearTimeout(timer);
      timer = setTimeout(stall, stallMs);
    },
    release(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

/** Writes a body behind the `from` bytes that are in the file; 0 begins it anew. */
async function store(
  response: Response,
  { from, total }: { readonly from: number; readonly total: number | undefined },
  alive: () => void,
  { url, part, mostBytes, report }: Attempt,
): Promise<void> {
  const tooLong = (): InputError =>
    refusal(url, `longer than the ${mebibytes(mostBytes)} that the archive may have`);
  if (total !== undefined && total > mostBytes) throw tooLong();
  const file = await open(part, from === 0 ? 'w' : 'a').catch((error: unknown) => {
    throw fileError(part, error);
  });
  try {
    if (from === 0) {
      const validator = validatorOf(response.headers);
      noteOrigin(part, {
        url,
        ...(validator && { validator }),
        ...(total !== undefined && { total }),
      });
    }
    report({ kind: 'begun', url, from, total });
    let received = from;
    for await (const chunk of response.body ?? []) {
      alive();
      received += chunk.byteLength;
      if (received > mostBytes) throw tooLong();
      await file.appendFile(chunk).catch((error: unknown) => {
        throw fileError(part, error);
      });
      report({ kind: 'progress', received, total });
    }
    if (total !== undefined && received !== total) {
      throw new Broken(`it ended after ${received} of ${total} bytes`, true);
    }
  } finally {
    await file.close();
  }
}

/**
 * Fetches a file, or what is missing of it, by one request; the bytes so far stay at `part` when the
 * connection breaks. Gives whether all of it came in this one piece and is known to be complete. Throws
 * Broken, the caller's reason when it aborts, and InputError for an answer that no repetition mends or
 * a file that cannot be written. `fetch` follows redirects to http and https only.
 */
export async function attempt(request: Attempt): Promise<{ readonly inOnePiece: boolean }> {
  const { url, part, signal, report } = request;
  const had = readPartial(part, url);
  if (had !== undefined && had.bytes === had.origin.total) return { inOnePiece: false };
  const asked = had === undefined ? {} : rangeHeaders(had.bytes, had.origin);
  const watched = watch(request);
  let answered = false;
  try {
    report({ kind: 'connecting', url });
    const response = await fetch(url, {
      // Byte ranges and checksums are of the file itself, not of a compressed rendering.
      headers: { ...asked, 'accept-encoding': 'identity' },
      signal: watched.signal,
    });
    answered = true;
    watched.alive();
    try {
      const place = judge(
        response,
        had?.bytes ?? 0,
        'range' in asked ? had?.origin : undefined,
        request,
      );
      await store(response, place, watched.alive, request);
      return { inOnePiece: place.from === 0 && place.total !== undefined };
    } finally {
      // Nothing of a body that is not wanted shall hold the connection, nor the process, open.
      if (response.body?.locked === false) await response.body.cancel().catch(() => {});
    }
  } catch (error) {
    if (error instanceof Broken || error instanceof InputError) throw error;
    if (signal.aborted) throw signal.reason;
    if (watched.state.stalled) {
      throw new Broken(`nothing came for ${request.stallMs / 1000} s`, answered);
    }
    throw new Broken(reasonOf(error), answered);
  } finally {
    watched.release();
  }
}
