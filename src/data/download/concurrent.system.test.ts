import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachedCifar, type DownloadOptions } from './cachedCifar.ts';
import type { DownloadEvent } from './events.ts';
import { tiny, tinyBytes, tinyFiles } from './testdata/archives.ts';
import { startServer, type TestServer } from './testdata/server.ts';

let dir: string;
let cache: string;
let folder: string;
let part: string;
let server: TestServer;
let events: DownloadEvent[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'cache-'));
  cache = join(dir, 'new', 'cache');
  folder = join(cache, 'tiny-bin');
  part = join(cache, 'tiny.tar.gz.part');
  server = await startServer(part);
  server.plan({ content: tinyBytes });
  events = [];
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const options = (): DownloadOptions => ({
  cache,
  address: server.address,
  patience: { tries: 3, triesWithoutAnswer: 2, pauseMs: 5, stallMs: 5000 },
  timing: { beatMs: 50, pollMs: 20, deadMs: 3000 },
  report: (event) => events.push(event),
});

const get = (): Promise<string> => cachedCifar(tiny, options());
const names = [...Object.keys(tinyFiles), 'swa-align.json'].sort();

/** The data set is there, whole, and nothing else. */
function expectWhole(): void {
  expect(readdirSync(cache)).toEqual(['tiny-bin']);
  expect(readdirSync(folder).sort()).toEqual(names);
  for (const [name, content] of Object.entries(tinyFiles)) {
    expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
  }
}

describe('two at once', () => {
  test('make one download', async () => {
    server.plan({ content: tinyBytes, cutAfter: 300_000 }, { content: tinyBytes });
    expect(await Promise.all([get(), get(), get()])).toEqual([cache, cache, cache]);
    expectWhole();
    expect(server.requests).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === 'waiting')).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === 'installed')).toHaveLength(1);
  });

  test('the second goes on where the first gives up', async () => {
    server.plan({ content: tinyBytes, cutAfter: 100_000 }, { status: 403 }, { content: tinyBytes });
    const both = await Promise.allSettled([get(), get()]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(server.requests[2].range).toBe('bytes=100000-');
    expectWhole();
  });
});

describe('processes', () => {
  const script = fileURLToPath(new URL('testdata/fetchTiny.ts', import.meta.url));
  const start = (): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', script, cache, server.address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  /** Until the process has said so, or has ended. */
  const said = (child: ChildProcess, word: string): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      child.stdout?.on('data', (chunk) => {
        text += chunk;
        if (text.includes(word)) resolve(text);
      });
      child.on('close', () => resolve(text));
    });

  test('one is killed, another finishes its download', async () => {
    server.plan({ content: tinyBytes, stallAfter: 200_000 });
    const first = start();
    expect(await said(first, 'progress')).toContain('progress');
    // Until all that was sent lies on the disk.
    while (readFileSync(part).length < 200_000) await new Promise((go) => setTimeout(go, 5));
    const gone = new Promise((resolve) => first.on('exit', resolve));
    first.kill('SIGKILL');
    await gone;
    expect(readdirSync(cache)).toContain('tiny.tar.gz.lock');
    server.plan({ content: tinyBytes });
    expect(await said(start(), 'done')).toContain(`done ${cache}`);
    expect(server.requests[1].range).toBe('bytes=200000-');
    expectWhole();
  });

  test('two begin together and make one download', async () => {
    const texts = await Promise.all([said(start(), 'done'), said(start(), 'done')]);
    for (const text of texts) expect(text).toContain(`done ${cache}`);
    expect(server.requests).toHaveLength(1);
    expectWhole();
  });
});
