import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { cifar10, imageBytes, readCifar, readCifar10, type Split } from './cifar.ts';

let dir: string;
let folder: string;

/** `count` records whose label is their number modulo ten and whose pixels all are `value`. */
function records(count: number, value: number, labelBytes = 1): Uint8Array {
  const record = labelBytes + imageBytes;
  const bytes = new Uint8Array(count * record).fill(value);
  for (let r = 0; r < count; r++) bytes.fill(r % 10, r * record, r * record + labelBytes);
  return bytes;
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cifar-'));
  folder = join(dir, cifar10.folder);
  mkdirSync(folder);
  cifar10.files.train.forEach((file, i) => {
    writeFileSync(join(folder, file), records(i + 1, 100 + i));
  });
  writeFileSync(join(folder, 'test_batch.bin'), records(300, 7));
});

afterEach(() => rmSync(dir, { recursive: true }));

describe('reading', () => {
  test('the training files in order, however many records each holds', () => {
    const set = readCifar10(dir, 'train');
    expect(set.count).toBe(15);
    expect(Array.from(set.labels)).toEqual([0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4]);
    const first = Array.from(set.labels, (_, i) => set.images[i * imageBytes]);
    const last = Array.from(set.labels, (_, i) => set.images[(i + 1) * imageBytes - 1]);
    expect(first).toEqual([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5].map((n) => 99 + n));
    expect(last).toEqual(first);
    expect(set.classes).toHaveLength(10);
  });

  test('the unpacked folder itself, and more records than one read takes', () => {
    const set = readCifar10(folder, 'test');
    expect(set.count).toBe(300);
    expect(Array.from(set.labels)).toEqual(Array.from({ length: 300 }, (_, i) => i % 10));
    expect(set.images.every((pixel) => pixel === 7)).toBe(true);
  });

  test('a layout with a coarse and a fine label', () => {
    const bytes = records(2, 9, 2);
    bytes[0] = 19;
    bytes[1] = 3;
    writeFileSync(join(folder, 'test.bin'), bytes);
    const files = { train: ['test.bin'], test: ['test.bin'] };
    const set = readCifar({ ...cifar10, files, labelBytes: 2, labelAt: 1 }, dir, 'test');
    expect(Array.from(set.labels)).toEqual([3, 1]);
    expect(set.images[0]).toBe(9);
  });
});

describe('what does not fit is named', () => {
  const mistakes: readonly [string, Split, () => void, RegExp][] = [
    [
      'no directory',
      'train',
      () => rmSync(folder, { recursive: true }),
      /data_batch_1\.bin: no such/,
    ],
    [
      'no file',
      'train',
      () => rmSync(join(folder, 'data_batch_3.bin')),
      /data_batch_3\.bin: no such/,
    ],
    ['an empty file', 'test', () => writeFileSync(join(folder, 'test_batch.bin'), ''), /empty/],
    [
      'half a record',
      'test',
      () => writeFileSync(join(folder, 'test_batch.bin'), records(2, 0).subarray(1)),
      /test_batch\.bin: 6145 bytes are not a whole number of 3073-byte records/,
    ],
    [
      'a label out of range',
      'test',
      () => writeFileSync(join(folder, 'test_batch.bin'), records(258, 0).fill(10, 257 * 3073)),
      /record 257 has label 10, but there are 10 classes/,
    ],
    [
      'a folder in a file’s place',
      'test',
      () => {
        rmSync(join(folder, 'test_batch.bin'));
        mkdirSync(join(folder, 'test_batch.bin'));
      },
      /not a regular file/,
    ],
    [
      'a file in the folder’s place',
      'test',
      () => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, 'x');
      },
      /cifar-10-batches-bin: not a directory/,
    ],
  ];

  test.each(mistakes)('%s', (_, split, spoil, message) => {
    spoil();
    const read = () => readCifar10(dir, split);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  test('a directory that is not there, or is a file', () => {
    expect(() => readCifar10(join(dir, 'nowhere'), 'train')).toThrow(/nowhere: no such/);
    expect(() => readCifar10(join(folder, 'test_batch.bin'), 'train')).toThrow(/not a directory/);
  });
});
