import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import type { DownloadEvent } from './events.ts';
import { type FetchRequest, fetchFile } from './fetchFile.ts';
import { noise } from './testdata/archives.ts';
import { startServer, type TestServer } from './testdata/server.ts';

const content = noise(300_000, 7);

let dir: string;
let part: string;
let server: TestServer;
let events: DownloadEvent[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fetch-'));
  part = join(dir, 'file.part');
  server = await startServer(part);
  events = [];
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const patience = { tries: 3, triesWithoutAnswer: 2, pauseMs: 5, stallMs: 5000 };

/** For servers that stall: long enough for a busy machine to answer in time, short for a test. */
const hasty = { patience: { ...patience, tries: 2, stallMs: 600 } };

const fetchIt = (given: Partial<FetchRequest> = {}) =>
  fetchFile({
    url: `${server.address}file`,
    part,
    mostBytes: 2 ** 20,
    patience,
    signal: new AbortController().signal,
    report: (event) => events.push(event),
    ...given,
  });

const fetched = (): boolean => readFileSync(part).equals(content);
const kinds = (): string[] =>
  events.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1]);

describe('a connection that breaks', () => {
  test('is gone on with where it was cut off, and no byte is fetched twice', async () => {
    server.plan({ content, cutAfter: 100_000 }, { content, cutAfter: 50_000 }, { content });
    expect(await fetchIt()).toEqual({ inOnePiece: false });
    expect(fetched()).toBe(true);
    expect(server.requests.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=150000-',
    ]);
    expect(server.requests.map(({ ifRange }) => ifRange)).toEqual([undefined, '"one"', '"one"']);
    expect(server.requests.reduce((sum, { sent }) => sum + sent, 0)).toBe(content.length);
    expect(kinds()).toEqual(
      [1, 2, 3].flatMap((n) => ['connecting', 'begun', 'progress', ...(n < 3 ? ['broken'] : [])]),
    );
    expect(events.filter(({ kind }) => kind === 'begun')).toMatchObject([
      { from: 0, total: content.length },
      { from: 100_000, total: content.length },
      { from: 150_000, total: content.length },
    ]);
  });

  test('and one that stalls', async () => {
    server.plan({ content, stallAfter: 120_000 }, { content });
    await fetchIt(hasty);
    expect(fetched()).toBe(true);
    expect(server.requests[1].range).toBe('bytes=120000-');
    expect(events.find(({ kind }) => kind === 'broken')).toMatchObject({
      why: 'nothing came for 0.6 s',
      received: 120_000,
    });
  });

  test('a server that never says anything', async () => {
    server.plan({ content, stallAfter: 0 });
    await expect(fetchIt(hasty)).rejects.toThrow(/cannot be fetched \(nothing came for 0.6 s\)/);
  });

  test('by Last-Modified where there is no ETag, or a weak one', async () => {
    const when = 'Thu, 04 Jun 2009 20:00:41 GMT';
    const headers = { 'last-modified': when };
    server.plan(
      { content, cutAfter: 100_000, etag: 'W/"weak"', headers },
      { content, etag: when, headers },
    );
    await fetchIt();
    expect(server.requests[1].ifRange).toBe(when);
    expect(server.requests[1].sent).toBe(200_000);
    expect(fetched()).toBe(true);
  });

  test('a later run goes on too', async () => {
    server.plan({ content, cutAfter: 100_000 }, { status: 503 });
    await expect(fetchIt()).rejects.toThrow(
      /broke after 0\.1 of 0\.3 MiB .*503.*try again later to continue from there/,
    );
    server.plan({ content });
    await fetchIt();
    expect(fetched()).toBe(true);
    expect(server.requests.at(-1)).toMatchObject({ range: 'bytes=100000-', sent: 200_000 });
  });

  test('a run that finds everything asks nobody', async () => {
    server.plan({ content });
    expect(await fetchIt()).toEqual({ inOnePiece: true });
    expect(await fetchIt()).toEqual({ inOnePiece: false });
    expect(server.requests).toHaveLength(1);
  });
});

describe('answers', () => {
  test('404 is final', async () => {
    server.plan({ status: 404 });
    await expect(fetchIt()).rejects.toThrow(InputError);
    await expect(fetchIt()).rejects.toThrow(
      /files\/file: the server answered 404; name another mirror .*--data-path .*--dataset synthetic/,
    );
    expect(server.requests).toHaveLength(2);
    expect(existsSync(part)).toBe(false);
  });

  test('500 passes', async () => {
    server.plan({ status: 500 }, { content });
    await fetchIt();
    expect(fetched()).toBe(true);
    expect(events.find(({ kind }) => kind === 'broken')).toMatchObject({
      why: 'the server answered 500',
    });
  });

  test('500 for ever does not, and the pauses grow', async () => {
    server.plan({ status: 500 });
    await expect(fetchIt()).rejects.toThrow(/cannot be fetched \(the server answered 500\)/);
    expect(server.requests).toHaveLength(patience.tries);
    expect(events.flatMap((e) => (e.kind === 'broken' ? [e.seconds] : []))).toEqual([0.005, 0.01]);
  });

  test('one that is cut off again and again without getting any further is given up', async () => {
    server.plan({ content, cutAfter: 1000, ranges: false });
    await expect(fetchIt()).rejects.toThrow(InputError);
    expect(server.requests).toHaveLength(patience.tries);
  });

  test.each([
    ['by its length', {}],
    ['by what it sends', { chunked: true }],
  ])('longer than an archive may be, %s', async (_, how) => {
    server.plan({ content, ...how });
    await expect(fetchIt({ mostBytes: 200_000 })).rejects.toThrow(/longer than the 0\.2 MiB/);
    expect(server.requests).toHaveLength(1);
    if (existsSync(part)) expect(readFileSync(part).length).toBeLessThanOrEqual(200_000);
  });

  test('without a length', async () => {
    server.plan({ content, chunked: true });
    expect(await fetchIt()).toEqual({ inOnePiece: false });
    expect(fetched()).toBe(true);
  });

  test('encoded by the server', async () => {
    server.plan({ content, headers: { 'content-encoding': 'gzip' } });
    await expect(fetchIt()).rejects.toThrow(/the server sends it encoded \(gzip\)/);
  });

  test('a redirect within the web is followed, with its range', async () => {
    const moved = { status: 302, headers: { location: '/elsewhere' } };
    server.plan(moved, { content, cutAfter: 100_000 }, moved, { content });
    await fetchIt();
    expect(server.requests.map(({ path, range }) => `${path} ${range ?? ''}`)).toEqual([
      '/files/file ',
      '/elsewhere ',
      '/files/file bytes=100000-',
      '/elsewhere bytes=100000-',
    ]);
    expect(fetched()).toBe(true);
  });

  test.each(['file:///etc/hostname', 'data:text/plain,x', 'ftp://127.0.0.1/x'])(
    'a redirect to %s is not',
    async (location) => {
      server.plan({ status: 302, headers: { location } });
      await expect(fetchIt()).rejects.toThrow(/cannot be reached \(.*scheme/i);
      expect(existsSync(part)).toBe(false);
    },
  );
});

describe('without a server', () => {
  test('one line says what to do', async () => {
    await server.close();
    const failed = fetchIt();
    await expect(failed).rejects.toThrow(InputError);
    await expect(failed).rejects.toThrow(
      /cannot be reached \(.*ECONNREFUSED.*\); give --data-path .*--dataset synthetic$/,
    );
    // Nothing else is told: whoever has no network reads that one line.
    expect(kinds()).toEqual(['connecting']);
    expect(existsSync(part)).toBe(false);
    server = await startServer(part);
  });
});

describe('stopping', () => {
  test.each([
    ['while bytes come', { content, stallAfter: 100_000 }],
    ['before any comes', { content, stallAfter: 0 }],
    ['between two attempts', { status: 500 }],
  ])('%s gives the reason at once and keeps what is there', async (_, how) => {
    const stop = new AbortController();
    const slow = { ...patience, pauseMs: 60_000, stallMs: 60_000 };
    server.plan(how);
    const running = fetchFile({
      url: `${server.address}file`,
      part,
      mostBytes: 2 ** 20,
      patience: slow,
      signal: stop.signal,
      report: () => {},
    });
    setTimeout(() => stop.abort(new InputError('enough')), 100);
    await expect(running).rejects.toThrow(/^enough$/);
    const kept = existsSync(part) ? readFileSync(part) : Buffer.alloc(0);
    expect(kept.equals(content.subarray(0, kept.length))).toBe(true);
  });

  test('before it has begun', async () => {
    server.plan({ content });
    await expect(fetchIt({ signal: AbortSignal.abort(new InputError('no')) })).rejects.toThrow(
      /^no$/,
    );
  });
});
