import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceError, InputError } from '../../../../errors.ts';
import { hasKoffi } from '../../../../native/koffi.ts';
import { bundledFolder, libraryIn } from '../library.ts';
import { findProvider, providerFiles, writtenIn } from './findProvider.ts';
import { type CudaRelease, cudaRelease, type PackagedFiles } from './release.ts';
import { installProvider } from './setUp.ts';

const linux = process.platform === 'linux' && process.arch === 'x64' && hasKoffi();
const needs = linux ? '' : ' (skipped: needs Linux x64 and koffi)';

let dir: string;
let server: Server;
/** What the registry was asked for. */
let asked: string[];
/** What it has: bytes by path; `undefined` never answers. */
let has: Map<string, Buffer | undefined>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'cuda-setup-'));
  asked = [];
  has = new Map();
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const body = has.get(url);
    if (has.has(url) && body === undefined) return;
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body ?? '{}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  vi.stubEnv('npm_config_registry', address());
  vi.stubEnv('npm_config_cache', join(dir, 'npm'));
  vi.stubEnv('npm_config_fetch_retries', '0');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const sha512 = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

/** A package's archive with these files in it, each put there by `put`. */
function archiveOf(
  { of: { name, version }, folder, files: names }: PackagedFiles,
  put: (file: string) => void,
): Buffer {
  const root = join(dir, 'packages', name);
  mkdirSync(join(root, folder), { recursive: true });
  for (const file of names) put(join(root, folder, file));
  writeFileSync(join(root, 'package', 'package.json'), JSON.stringify({ name, version }));
  const file = join(root, 'archive.tgz');
  create({ gzip: { level: 1 }, file, cwd: root, sync: true, follow: true }, ['package']);
  const bytes = readFileSync(file);
  rmSync(root, { recursive: true });
  return bytes;
}

/** Puts a package on the registry. */
function publish(files: PackagedFiles, bytes: Buffer): PackagedFiles {
  const { name, version } = files.of;
  const dist = { tarball: `${address()}${name}.tgz`, integrity: sha512(bytes) };
  const versions = { [version]: { name, version, dist } };
  const about = { name, 'dist-tags': { latest: version }, versions };
  has.set(`/${name}.tgz`, bytes);
  has.set(`/${name}`, Buffer.from(JSON.stringify(about)));
  return { ...files, of: { ...files.of, integrity: dist.integrity } };
}

const own = libraryIn(bundledFolder())!;
/** Packed once for all tests. */
let packedOwn: Buffer | undefined;

/** A release on the registry: our own library, and a file that says of itself that it is a provider of `provider`. */
function released({ library = '', provider = '' } = {}): CudaRelease {
  const version = writtenIn(own).version!;
  packedOwn ??= archiveOf(cudaRelease.library, (file) => symlinkSync(own, file));
  const libraryArchive =
    library === ''
      ? packedOwn
      : archiveOf(cudaRelease.library, (file) => writeFileSync(file, library));
  const text = `\0${provider || version}\0`;
  const providerArchive = archiveOf(cudaRelease.provider, (file) => writeFileSync(file, text));
  return {
    version,
    library: publish(cudaRelease.library, libraryArchive),
    provider: publish(cudaRelease.provider, providerArchive),
  };
}

const place = () => join(dir, 'cache', 'onnxruntime-cuda');
const install = (release: CudaRelease, signal = new AbortController().signal) =>
  installProvider(place(), { signal, release });
const everything = (folder: string) => readdirSync(folder, { recursive: true }).sort();

describe.skipIf(!linux)(`library and provider${needs}`, () => {
  it('are fetched by npm, tried and put where the backend looks for them', async () => {
    const release = released();
    // What a killed process left.
    mkdirSync(join(dirname(place()), '.onnxruntime-cuda-abc', 'new'), { recursive: true });
    const found = await install(release);
    expect(found).toMatchObject({ folder: place(), version: release.version });
    expect(findProvider({ setUp: place(), sitePackages: [] })).toEqual(found);
    expect(everything(dirname(place()))).toEqual(
      [
        'onnxruntime-cuda',
        ...[...providerFiles, 'libonnxruntime.so.1'].map((file) => `onnxruntime-cuda/${file}`),
      ].sort(),
    );
  });

  it('are fetched once by two at the same time', async () => {
    const release = released();
    const [one, other] = await Promise.all([install(release), install(release)]);
    expect(one).toEqual(other);
    expect(asked.filter((url) => url.endsWith('.tgz'))).toHaveLength(2);
  });

  it.each([
    [
      'are not to be had',
      () => released(),
      () => has.clear(),
      InputError,
      /npm could not fetch it: .*(404|Not Found)/,
    ],
    [
      'are other ones',
      () => released(),
      () => released({ provider: '1.99.0' }),
      InputError,
      /has the checksum sha512-/,
    ],
    [
      'do not fit together',
      () => released({ provider: '1.99.0' }),
      () => {},
      DeviceError,
      /provider is of ONNX Runtime 1.99.0/,
    ],
    [
      'do not load',
      () => released({ library: `\0${writtenIn(own).version}\0` }),
      () => {},
      DeviceError,
      /not an ONNX Runtime that can be loaded/,
    ],
    [
      'have no npm',
      () => released(),
      () => vi.stubEnv('PATH', dir),
      DeviceError,
      /npm does not run/,
    ],
  ])('leave what was there when they %s', async (_, make, then, kind, message) => {
    const release = make();
    then();
    const failed = async () => {
      const error = await install(release).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).not.toContain('\n');
    };
    await failed();
    expect(everything(dirname(place()))).toEqual([]);
    mkdirSync(place());
    writeFileSync(join(place(), providerFiles[0]), 'half of an old one');
    await failed();
    expect(everything(dirname(place()))).toEqual([
      'onnxruntime-cuda',
      `onnxruntime-cuda/${providerFiles[0]}`,
    ]);
  });

  it('leave nothing when they are interrupted', async () => {
    const release = released();
    has.set(`/${release.library.of.name}.tgz`, undefined);
    const stop = new AbortController();
    const reason = new InputError('stopped');
    const installing = install(release, stop.signal).catch((thrown: unknown) => thrown);
    await vi.waitUntil(() => asked.some((url) => url.endsWith('.tgz')), { timeout: 20_000 });
    stop.abort(reason);
    expect(await installing).toBe(reason);
    expect(everything(dirname(place()))).toEqual([]);
  });

  it('take the place of ones that are not whole', async () => {
    const release = released();
    mkdirSync(place(), { recursive: true });
    writeFileSync(join(place(), providerFiles[0]), 'half of an old one');
    expect(await install(release)).toMatchObject({ folder: place(), version: release.version });
    expect(everything(dirname(place()))).toHaveLength(4);
  });
});
