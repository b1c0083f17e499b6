import { statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** How the server treats one request. */
export interface Answer {
  readonly content?: Uint8Array;
  /** Answer with this status and no file. */
  readonly status?: number;
  /** Send so many bytes of the answer, then break the connection or say nothing more. */
  readonly cutAfter?: number;
  readonly stallAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null sends none. */
  readonly etag?: string | null;
  /** Answer ranges, as most servers do. */
  readonly ranges?: boolean;
  /** Leave the length out. */
  readonly chunked?: boolean;
}

export interface Seen {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  /** Bytes of the file that were written to the connection. */
  sent: number;
}

export interface TestServer {
  readonly address: string;
  readonly requests: Seen[];
  /** The answers to come; the last one is given again and again. */
  plan(...answers: Answer[]): void;
  close(): Promise<void>;
}

interface Head {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Where in the file the body begins. */
  readonly from: number;
  readonly body: Uint8Array;
}

function head(
  request: IncomingMessage,
  {
    content = new Uint8Array(),
    status,
    headers = {},
    etag = '"one"',
    ranges = true,
    chunked,
  }: Answer,
): Head {
  const tag: Record<string, string> = etag === null ? {} : { etag };
  if (status !== undefined) {
    const body = Buffer.from(`status ${status}`);
    const length = { 'content-length': `${body.length}` };
    return { status, headers: { ...tag, ...headers, ...length }, from: 0, body };
  }
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const same = request.headers['if-range'] === etag;
  const from = asked !== null && ranges && same ? Number(asked[1]) : 0;
  const body = content.subarray(from);
  const length: Record<string, string> =
    chunked === true ? {} : { 'content-length': `${body.byteLength}` };
  if (from === 0) return { status: 200, headers: { ...tag, ...length, ...headers }, from, body };
  const range = `bytes ${from}-${content.byteLength - 1}/${content.byteLength}`;
  const all = { ...tag, ...length, 'content-range': range, ...headers };
  return { status: 206, headers: all, from, body };
}

/** What was sent shall be read first: fetch drops what it has not handed out when the connection breaks. */
async function cut(
  response: ServerResponse,
  whenStored: number,
  stored: () => number,
): Promise<void> {
  const until = performance.now() + 5000;
  while (stored() < whenStored && performance.now() < until) await pause(5);
  await pause(20);
  response.socket?.destroy();
}

function answer(
  response: ServerResponse,
  seen: Seen,
  { from, body }: Head,
  how: Answer,
  stored: () => number,
): void {
  const end = how.cutAfter ?? how.stallAfter;
  const piece = body.subarray(0, end);
  seen.sent += how.status === undefined ? piece.byteLength : 0;
  if (end === undefined) {
    response.end(piece);
    return;
  }
  response.flushHeaders();
  response.write(piece, () => {
    if (how.cutAfter !== undefined) void cut(response, from + piece.byteLength, stored);
  });
}

/**
 * A server on 127.0.0.1 that does as it is told and notes what it was asked. `part` is the file that the
 * client writes: a connection is cut when what was sent lies there, however busy the machine is.
 */
export async function startServer(part: string): Promise<TestServer> {
  const stored = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  const requests: Seen[] = [];
  let answers: Answer[] = [];
  const server = createServer((request, response) => {
    const how = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 404 };
    const seen: Seen = {
      path: request.url ?? '',
      range: request.headers.range,
      ifRange: request.headers['if-range'] as string | undefined,
      sent: 0,
    };
    requests.push(seen);
    const what = head(request, how);
    response.writeHead(what.status, what.headers);
    answer(response, seen, what, how, stored);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/`,
    requests,
    plan(...next) {
      answers = next;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
