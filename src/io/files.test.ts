import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { fileError } from './fileError.ts';
import { writeNpy } from './numpy/npy.ts';
import { writeNpz } from './numpy/npz.ts';
import { readFileOrFail } from './readFile.ts';
import { readRecording } from './recording.ts';
import { writeSafetensors } from './safetensors/safetensors.ts';
import { sha256Hex } from './sha256/sha256.ts';
import { counting, expectSameMap, torchFile } from './testdata/support.ts';
import { writeTorchCheckpoint } from './torch/torchCheckpointWriter.ts';
import { readWeights } from './weights.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const at = (name: string) => join(directory, name);

describe('fileError', () => {
  it('turns a full disk into one line', () => {
    const full = Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' });
    expect(String(fileError('a.pt', full))).toBe(
      'InputError: a.pt: no space left on the disk; free some space and try again',
    );
    const other = new RangeError('a mistake of ours');
    expect(fileError('a.pt', other)).toBe(other);
  });
});

describe('readFileOrFail', () => {
  it('reads what is there', () => {
    writeFileSync(at('a'), 'abc');
    expect(readFileOrFail(at('a'))).toEqual(bytes('abc'));
  });

  it.each([
    ['missing', 'no such file or directory'],
    ['', 'is a directory'],
    ['a\0b', 'is not a valid path'],
    ['loop', 'too many symbolic links'],
    [`${'x'.repeat(300)}`, 'the path is too long'],
  ])('%j is refused in one line', (name, line) => {
    symlinkSync(at('loop'), at('loop'));
    const read = () => readFileOrFail(at(name), { fix: 'do this' });
    expect(read).toThrow(InputError);
    expect(read).toThrow(line);
    expect(read).toThrow('; do this');
  });

  it.skipIf(process.platform === 'win32')('refuses devices, which have no end (POSIX)', () => {
    expect(() => readFileOrFail('/dev/zero')).toThrow('is not a regular file');
  });
});

describe('readWeights', () => {
  const map = new Map([['w', counting('float32', [2, 3])]]);
  const files = {
    'a.pt': writeTorchCheckpoint(map),
    'a.PTH': writeTorchCheckpoint(map),
    'a.npz': writeNpz(map),
    'a.safetensors': writeSafetensors(map),
  };

  it.each(Object.entries(files))('%s', (name, content) => {
    writeFileSync(at(name), content);
    expectSameMap(readWeights(at(name)).tensors, map);
  });

  it.each(['w.pth.tar', 'w.tar', 'w.ckpt', 'w.bin', 'w.npz', 'w.constructor', 'w'])(
    'whatever it is called: %s',
    (name) => {
      for (const content of [...Object.values(files), torchFile('types/bfloat16, legacy')]) {
        writeFileSync(at(name), content);
        expect([...readWeights(at(name)).tensors.keys()]).toEqual(['w']);
        expect([...readRecording(at(name)).tensors.keys()]).toEqual(['w']);
      }
    },
  );

  it.each([
    [writeNpy(counting('int8', [1])), 'holds a single .npy array'],
    [writeNpz(new Map()), 'holds no tensors'],
    [bytes('hello'), 'holds no weights that can be read'],
    [new Uint8Array(0), 'holds no weights that can be read'],
    [files['a.pt'].subarray(0, 300), 'not a complete zip archive'],
  ])('other content is refused (%#)', (content, line) => {
    writeFileSync(at('b.pt'), content);
    expect(() => readWeights(at('b.pt'))).toThrow(InputError);
    expect(() => readWeights(at('b.pt'))).toThrow(line);
  });
});

it('sha256Hex: the published values of the empty text and of abc', () => {
  expect(sha256Hex(bytes(''))).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  expect(sha256Hex(bytes('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
