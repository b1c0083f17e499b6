import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchFile } from './fetchFile.ts';
import { noise } from './testdata/archives.ts';
import { startServer, type TestServer } from './testdata/server.ts';

const content = noise(300_000, 7);
const other = noise(300_000, 8);

let dir: string;
let part: string;
let server: TestServer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fetch-'));
  part = join(dir, 'file.part');
  server = await startServer(part);
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const patience = { tries: 3, triesWithoutAnswer: 2, pauseMs: 5, stallMs: 5000 };

const fetchIt = () =>
  fetchFile({
    url: `${server.address}file`,
    part,
    mostBytes: 2 ** 20,
    patience,
    signal: new AbortController().signal,
    report: () => {},
  });

const fetched = (): boolean => readFileSync(part).equals(content);

describe('is begun anew', () => {
  test('where the server knows no ranges', async () => {
    server.plan({ content, cutAfter: 100_000, ranges: false }, { content, ranges: false });
    expect(await fetchIt()).toEqual({ inOnePiece: true });
    expect(server.requests[1]).toMatchObject({ range: 'bytes=100000-', sent: content.length });
    expect(fetched()).toBe(true);
  });

  test('where the server says nothing of versions', async () => {
    server.plan({ content, cutAfter: 100_000, etag: null }, { content, etag: null });
    await fetchIt();
    expect(server.requests[1].range).toBeUndefined();
    expect(fetched()).toBe(true);
  });

  test('where the file has changed', async () => {
    server.plan({ content: other, cutAfter: 100_000 }, { content, etag: '"two"' });
    await fetchIt();
    expect(server.requests[1]).toMatchObject({ ifRange: '"one"', sent: content.length });
    expect(fetched()).toBe(true);
  });

  test.each([
    ['begins elsewhere', { 'content-range': 'bytes 5-299999/300000' }],
    ['is of another length', { 'content-range': 'bytes 100000-299999/300001' }],
    ['is of another version', { etag: '"two"' }],
    ['does not say what it is', { 'content-range': 'all of it' }],
  ])('where the continuation %s', async (_, headers) => {
    server.plan({ content: other, cutAfter: 100_000 }, { content, headers }, { content });
    await fetchIt();
    expect(server.requests[2].range).toBeUndefined();
    expect(fetched()).toBe(true);
  });

  test('where the server has no such range', async () => {
    server.plan({ content, cutAfter: 100_000 }, { status: 416 }, { content });
    await fetchIt();
    expect(server.requests[2].range).toBeUndefined();
    expect(fetched()).toBe(true);
  });

  test.each([
    [
      'is of another address',
      '{"url":"http://127.0.0.1/x","validator":"\\"one\\"","total":300000}',
    ],
    ['has a damaged note', '{"url'],
    ['has a note of something else', '[]'],
  ])('where the partial file %s', async (_, note) => {
    writeFileSync(part, other.subarray(0, 1000));
    writeFileSync(`${part}.json`, note);
    server.plan({ content });
    await fetchIt();
    expect(server.requests[0].range).toBeUndefined();
    expect(fetched()).toBe(true);
  });

  test('where it has no note at all', async () => {
    writeFileSync(part, other);
    server.plan({ content });
    await fetchIt();
    expect(fetched()).toBe(true);
  });
});
