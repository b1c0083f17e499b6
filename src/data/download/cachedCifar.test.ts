import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError, UsageError } from '../../errors.ts';
import { readCifar } from '../cifar.ts';
import { archiveUrl, cachedCifar, type DownloadOptions } from './cachedCifar.ts';
import type { DownloadEvent } from './events.ts';
import {
  describeArchive,
  tarOf,
  tiny,
  tinyBytes,
  tinyFiles,
  tinyMembers,
} from './testdata/archives.ts';
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

const get = (archive = tiny): Promise<string> => cachedCifar(archive, options());
const names = [...Object.keys(tinyFiles), 'swa-align.json'].sort();
const kinds = (): string[] =>
  events.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1]);
const damages = (): string[] => events.flatMap((e) => (e.kind === 'damaged' ? [e.what] : []));

/** The data set is there, whole, and nothing else. */
function expectWhole(): void {
  expect(readdirSync(cache)).toEqual(['tiny-bin']);
  expect(readdirSync(folder).sort()).toEqual(names);
  for (const [name, content] of Object.entries(tinyFiles)) {
    expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
  }
}

describe('on first use', () => {
  test('is fetched, checked, unpacked and read', async () => {
    expect(await get()).toBe(cache);
    expectWhole();
    expect(kinds()).toEqual(['connecting', 'begun', 'progress', 'unpacking', 'installed']);
    const set = readCifar(tiny.layout, cache, 'train');
    expect(set.count).toBe(100);
    expect(Array.from(set.labels.subarray(0, 3))).toEqual([0, 1, 0]);
  });

  test('and not again', async () => {
    await get();
    events = [];
    expect(await get()).toBe(cache);
    expect(server.requests).toHaveLength(1);
    expect(events).toEqual([]);
  });

  test('through a broken connection', async () => {
    server.plan({ content: tinyBytes, cutAfter: 200_000 }, { content: tinyBytes });
    await get();
    expectWhole();
    expect(server.requests[1].range).toBe('bytes=200000-');
    expect(server.requests[0].sent + server.requests[1].sent).toBe(tinyBytes.length);
  });

  test('what killed processes left is removed', async () => {
    mkdirSync(join(cache, '.tiny-bin-Ab12cd', 'new'), { recursive: true });
    writeFileSync(join(cache, '.tiny-bin-Ab12cd', 'new', 'a.bin'), 'half');
    await get();
    expectWhole();
  });
});

describe('a wrong archive', () => {
  const wrong = gzipSync(tarOf(tinyMembers.slice(0, -1)));

  test('is refused by its md5, and nothing of it stays', async () => {
    server.plan({ content: wrong });
    const getting = get();
    await expect(getting).rejects.toThrow(InputError);
    await expect(getting).rejects.toThrow(
      new RegExp(`files/tiny\\.tar\\.gz: its md5 is [0-9a-f]{32}, not ${tiny.md5}: another file`),
    );
    expect(readdirSync(cache)).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  test('with the right md5 is refused by what it holds', async () => {
    server.plan({ content: wrong });
    await expect(get(describeArchive(wrong))).rejects.toThrow(/tiny\.tar\.gz\.part: lacks names/);
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(cache).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('put together from two versions is fetched once more', async () => {
    const mixed = Buffer.from(tinyBytes);
    mixed[5000] ^= 1;
    server.plan({ content: mixed, cutAfter: 200_000 }, { content: tinyBytes });
    await get();
    expectWhole();
    expect(damages()[0]).toMatch(/tiny\.tar\.gz\.part: its md5 is/);
    expect(server.requests.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=200000-',
      undefined,
    ]);
  });

  test('and only once', async () => {
    const wrongToo = { content: Buffer.from(wrong), cutAfter: 200_000 };
    server.plan(wrongToo, { content: wrong }, wrongToo, { content: wrong });
    await expect(get()).rejects.toThrow(/its md5 is/);
    expect(server.requests).toHaveLength(4);
    expect(readdirSync(cache)).toEqual([]);
  });

  test('complete in the cache already, its bits fallen over', async () => {
    server.plan({ content: tinyBytes, cutAfter: tinyBytes.length - 1 }, { status: 404 });
    await expect(get()).rejects.toThrow(/404/);
    const bytes = readFileSync(part);
    bytes[1000] ^= 4;
    writeFileSync(part, Buffer.concat([bytes, tinyBytes.subarray(-1)]));
    server.plan({ content: tinyBytes });
    await get();
    expectWhole();
    expect(damages()).toHaveLength(1);
  });
});

describe('a damaged cache is said and repaired', () => {
  const spoil: readonly [string, () => void, RegExp][] = [
    ['a short file', () => truncateSync(join(folder, 'b.bin'), 3000), /b\.bin has 3000 bytes, not/],
    [
      'a bit',
      () => {
        const bytes = readFileSync(join(folder, 'c.bin'));
        bytes[4000] ^= 1;
        writeFileSync(join(folder, 'c.bin'), bytes);
      },
      /c\.bin has changed/,
    ],
    ['a missing file', () => rmSync(join(folder, 'a.bin')), /a\.bin is missing/],
    [
      'a folder for a file',
      () => {
        rmSync(join(folder, 'a.bin'));
        mkdirSync(join(folder, 'a.bin'));
      },
      /a\.bin is not a plain file/,
    ],
    ['no seal', () => rmSync(join(folder, 'swa-align.json')), /swa-align\.json is missing/],
    [
      'half a seal',
      () => truncateSync(join(folder, 'swa-align.json'), 20),
      /swa-align\.json is missing or damaged/,
    ],
    [
      'another archive’s',
      () => {
        const path = join(folder, 'swa-align.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace(tiny.md5, '0'.repeat(32)));
      },
      /it is from an archive with md5 0{32}/,
    ],
    [
      'a file in the folder’s place',
      () => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, 'x');
      },
      /swa-align\.json is missing/,
    ],
  ];

  test.each(spoil)('%s', async (_, harm, message) => {
    await get();
    harm();
    events = [];
    await get();
    expect(damages()).toHaveLength(1);
    expect(damages()[0]).toMatch(message);
    expectWhole();
  });

  test('and stays untrusted as long as there is no network', async () => {
    await get();
    truncateSync(join(folder, 'b.bin'), 3000);
    server.plan({ status: 404 });
    await expect(get()).rejects.toThrow(/404/);
    await expect(get()).rejects.toThrow(/404/);
    expect(damages()).toHaveLength(2);
    server.plan({ content: tinyBytes });
    await get();
    expectWhole();
  });
});

describe('without a download', () => {
  test('no server: one line, and nothing is left', async () => {
    const { address } = server;
    await server.close();
    await expect(cachedCifar(tiny, { ...options(), address })).rejects.toThrow(
      /cannot be reached .*--data-path .*--dataset synthetic$/,
    );
    expect(readdirSync(cache)).toEqual([]);
    expect(kinds()).toEqual(['connecting']);
    server = await startServer(part);
  });

  test('stopped: the lock is given back, and the next run goes on', async () => {
    server.plan({ content: tinyBytes, stallAfter: 100_000 });
    const stop = new AbortController();
    const getting = cachedCifar(tiny, {
      ...options(),
      signal: stop.signal,
      report: (event) => {
        if (event.kind === 'progress' && event.received === 100_000) {
          stop.abort(new InputError('stopped'));
        }
      },
    });
    await expect(getting).rejects.toThrow(/^stopped$/);
    expect(readdirSync(cache).sort()).toEqual(['tiny.tar.gz.part', 'tiny.tar.gz.part.json']);
    server.plan({ content: tinyBytes });
    await get();
    expect(server.requests[1].range).toBe('bytes=100000-');
    expectWhole();
  });

  test('a cache that cannot be made', async () => {
    writeFileSync(join(dir, 'new'), 'a file');
    await expect(get()).rejects.toThrow(/new\/cache: .*SWA_ALIGN_CACHE/);
    expect(server.requests).toHaveLength(0);
  });
});

describe('addresses', () => {
  test.each([
    ['https://host/data', 'https://host/data/x.tar.gz'],
    ['http://127.0.0.1:81/~kriz/', 'http://127.0.0.1:81/~kriz/x.tar.gz'],
  ])('%s', (address, url) => {
    expect(archiveUrl('x.tar.gz', address)).toBe(url);
  });

  test.each(['file:///data', '/data', 'ftp://host/', '', 'https://me:secret@host/'])(
    'not "%s"',
    (address) => {
      const make = () => archiveUrl('x.tar.gz', address);
      expect(make).toThrow(UsageError);
      expect(make).toThrow(/SWA_ALIGN_DATA_URL/);
      expect(make).not.toThrow(/secret/);
    },
  );
});
