import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { imageBytes, readCifar } from './cifar.ts';
import { cifar100 } from './cifar100.ts';
import { cifarArchives } from './cifarArchives.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cifar100-'));
  mkdirSync(join(dir, cifar100.folder));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('CIFAR-100', () => {
  test('has a hundred classes, in the order of the alphabet', () => {
    expect(cifar100.classes).toHaveLength(100);
    expect(new Set(cifar100.classes).size).toBe(100);
    expect([...cifar100.classes].sort()).toEqual(cifar100.classes);
  });

  test('is read by its fine labels', () => {
    const bytes = new Uint8Array(3 * 3074).fill(200);
    [
      [19, 0],
      [4, 99],
      [0, 50],
    ].forEach(([coarse, fine], r) => {
      bytes[r * 3074] = coarse;
      bytes[r * 3074 + 1] = fine;
      bytes[r * 3074 + 2] = r;
    });
    writeFileSync(join(dir, cifar100.folder, 'train.bin'), bytes);
    const set = readCifar(cifar100, dir, 'train');
    expect(Array.from(set.labels)).toEqual([0, 99, 50]);
    expect([0, 1, 2].map((i) => set.images[i * imageBytes])).toEqual([0, 1, 2]);
    expect(set.classes[set.labels[1]]).toBe('worm');
  });

  test('with CIFAR-10’s records is refused', () => {
    writeFileSync(join(dir, cifar100.folder, 'test.bin'), new Uint8Array(2 * 3073));
    expect(() => readCifar(cifar100, dir, 'test')).toThrow(
      /not a whole number of 3074-byte records/,
    );
  });
});

test('what is fetched is what is published, and holds every file that is read', () => {
  const published = Object.values(cifarArchives).map(({ file, md5 }) => `${md5}  ${file}`);
  expect(published).toEqual([
    'c32a1d4ab5d03f1284b67883e8d87530  cifar-10-binary.tar.gz',
    '03b5dce01913d631647c71ecec9e9cb8  cifar-100-binary.tar.gz',
  ]);
  for (const { layout, members } of Object.values(cifarArchives)) {
    const sizes = new Map(members.map(({ name, bytes }) => [name, bytes]));
    const record = layout.labelBytes + 3072;
    const images = (files: readonly string[]): number =>
      files.reduce((sum, file) => sum + Number(sizes.get(file)) / record, 0);
    expect(images(layout.files.train)).toBe(50_000);
    expect(images(layout.files.test)).toBe(10_000);
  }
});
