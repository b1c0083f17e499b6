import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const script = join(root, 'bench', 'gpu_carry.sh');
const dir = mkdtempSync(join(tmpdir(), 'swa-align-carry-'));
afterAll(() => rmSync(dir, { recursive: true }));

const there = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const can =
  process.platform === 'linux' && there('xz', '--version') && there('python3', '-c', 'import lzma');
const needs = can ? '' : ' (skipped: needs Linux, xz and Python)';

function carry(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', [script, ...args], {
    encoding: 'utf8',
    cwd: dir,
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

describe.skipIf(!can)(`gpu_carry.sh${needs}`, () => {
  const parts = join(dir, 'parts');
  const program = join(dir, 'a-node');
  const provider = join(dir, 'ort');

  beforeAll(() => {
    writeFileSync(program, '#!/bin/sh\necho v20\n');
    chmodSync(program, 0o755);
    mkdirSync(provider);
    writeFileSync(join(provider, 'libonnxruntime_providers_cuda.so'), 'a provider');
    const env = { NODE: program, SWA_ALIGN_ORT: provider, TREE: 'bench package.json' };
    const { status, stderr } = carry(['pack', 'parts'], { ...env, PART_MIB: '4', LEVEL: '0' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, 300_000);

  test('packs parts that are no larger than was asked', () => {
    const names = readdirSync(parts).filter((name) => name.startsWith('part-'));
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) {
      expect(readFileSync(join(parts, name)).length).toBeLessThanOrEqual(4 << 20);
    }
  });

  test('unpacks what was packed, and says what to call', () => {
    const { status, stdout, stderr } = carry(['unpack', 'parts', 'there']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(
      'cd there && NODE=carried/node SWA_ALIGN_ORT=carried/onnxruntime-cuda bash bench/gpu.sh\n',
    );
    const library = join('node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64');
    const files = ['package.json', 'bench/gpu.sh', join('node_modules', 'commander', 'index.js')];
    if (process.arch === 'x64') files.push(join(library, 'libonnxruntime.so.1'));
    for (const file of files) {
      expect(readFileSync(join(dir, 'there', file)).equals(readFileSync(join(root, file)))).toBe(
        true,
      );
    }
    expect(spawnSync(join(dir, 'there', 'carried', 'node'), { encoding: 'utf8' }).stdout).toBe(
      'v20\n',
    );
    expect(readdirSync(join(dir, 'there', 'carried', 'onnxruntime-cuda'))).toEqual(
      readdirSync(provider),
    );
    for (const absent of ['vitest', 'typescript', 'onnxruntime-node/bin/napi-v6/darwin']) {
      expect(existsSync(join(dir, 'there', 'node_modules', absent)), absent).toBe(false);
    }
  });

  test('unpacks nothing where a part is missing or damaged', () => {
    const some = join(dir, 'some');
    mkdirSync(some);
    for (const name of readdirSync(parts)) copyFileSync(join(parts, name), join(some, name));
    const part = join(some, 'part-01');
    const bytes = readFileSync(part);
    bytes[1000] ^= 1;
    writeFileSync(part, bytes);
    expect(carry(['unpack', 'some', 'nowhere'])).toMatchObject({
      status: 2,
      stderr: 'gpu_carry.sh: some/part-01 is not what was packed; bring it again\n',
    });
    rmSync(part);
    expect(carry(['unpack', 'some', 'nowhere'])).toMatchObject({
      status: 2,
      stderr: 'gpu_carry.sh: some/part-01 is missing\n',
    });
    expect(existsSync(join(dir, 'nowhere'))).toBe(false);
  });

  test('packs nothing into a folder that holds something, nor what is not built', () => {
    expect(carry(['pack', 'parts'], { SWA_ALIGN_ORT: 'none' })).toMatchObject({ status: 2 });
    const { status, stderr } = carry(['pack', 'more'], { TREE: 'nothing-built' });
    expect(status).toBe(2);
    expect(stderr).toBe('gpu_carry.sh: nothing-built is missing; run `npm ci && npm run build`\n');
  });
});
