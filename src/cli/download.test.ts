import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { noise, tinyBytes } from '../data/download/testdata/archives.ts';
import { startServer, type TestServer } from '../data/download/testdata/server.ts';
import { run } from './run.ts';

let dir: string;
let cache: string;
let out: string;
let part: string;
let server: TestServer;
let errors: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'download-'));
  cache = join(dir, 'cache');
  out = join(dir, 'out');
  part = join(cache, 'cifar-10-binary.tar.gz.part');
  server = await startServer(part);
  errors = '';
  const write = (text: unknown): boolean => {
    errors += String(text);
    return true;
  };
  vi.spyOn(console, 'error').mockImplementation((line) => void write(`${line}\n`));
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.stubEnv('SWA_ALIGN_CACHE', cache);
  vi.stubEnv('SWA_ALIGN_DATA_URL', server.address);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await server.close();
  rmSync(dir, { recursive: true });
});

const train = (...more: string[]): Promise<number> => run(['train', '--dir', out, ...more]);

describe('train without --data-path', () => {
  test('and without network: one line and exit code 2', async () => {
    await server.close();
    expect(await train()).toBe(2);
    // Beside what it was at.
    const messages = errors.split('\n').filter((line) => line !== '' && !line.endsWith(' …'));
    expect(messages).toHaveLength(1);
    expect(errors).toMatch(
      /^swa-align: http:.*cifar-10-binary\.tar\.gz: cannot be reached \(.*\); give --data-path DIR .* --dataset synthetic\n$/m,
    );
    expect(readdirSync(cache)).toEqual([]);
    expect(existsSync(out)).toBe(false);
    server = await startServer(part);
  });

  test('takes no other archive than the published one', async () => {
    server.plan({ content: tinyBytes });
    expect(await train()).toBe(2);
    expect(errors).toMatch(/its md5 is [0-9a-f]{32}, not c32a1d4ab5d03f1284b67883e8d87530/);
    expect(server.requests.map(({ path }) => path)).toEqual(['/files/cifar-10-binary.tar.gz']);
    expect(readdirSync(cache)).toEqual([]);
    expect(existsSync(out)).toBe(false);
  });

  test('can be stopped by Ctrl-C, and goes on the next time', async () => {
    const before = process.listenerCount('SIGINT');
    server.plan({ content: noise(300_000, 1), stallAfter: 100_000 });
    const running = train();
    while (!existsSync(part)) await new Promise((go) => setTimeout(go, 10));
    process.emit('SIGINT', 'SIGINT');
    expect(await running).toBe(130);
    expect(errors.trimEnd().split('\n').at(-1)).toBe(
      'swa-align: download interrupted; the next run continues from there',
    );
    expect(existsSync(part)).toBe(true);
    expect(existsSync(join(cache, 'cifar-10-binary.tar.gz.lock'))).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  test('says which variable holds no address', async () => {
    vi.stubEnv('SWA_ALIGN_DATA_URL', 'file:///data');
    expect(await train()).toBe(2);
    expect(errors).toContain(
      '"file:///data" is not a web address; give SWA_ALIGN_DATA_URL as http',
    );
  });
});

test('batches fetches too', async () => {
  expect(await run(['batches', '--out', join(dir, 'x.npz')])).toBe(2);
  expect(errors).toContain('cifar-10-binary.tar.gz: the server answered 404');
  expect(existsSync(join(dir, 'x.npz'))).toBe(false);
});

test('--data-path never does, nor does the synthetic set', async () => {
  expect(await train('--data-path', join(dir, 'nowhere'))).toBe(2);
  expect(errors).toContain('nowhere: no such file or directory');
  // Fails behind the data set, for want of weights.
  expect(await train('--dataset', 'synthetic', '--weights', join(dir, 'none.pt'))).toBe(2);
  expect(errors).toContain('none.pt: no such file or directory');
  expect(server.requests).toEqual([]);
  expect(existsSync(cache)).toBe(false);
});
