import { closeSync, existsSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';

export type Split = 'train' | 'test';

/** Images in memory as they lie on disk. */
export interface ImageSet {
  /** [count, 3, 32, 32]: a byte a pixel, the red plane first, rows from the top. */
  readonly images: Uint8Array;
  /** [count], each below `classes.length`. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly classes: readonly string[];
}

export const imageSide = 32;
export const imageChannels = 3;
export const imageBytes = imageChannels * imageSide * imageSide;

/** A data set in Krizhevsky's binary layout: records of some label bytes, then an image. */
export interface CifarLayout {
  /** The folder the official archive unpacks to. */
  readonly folder: string;
  readonly files: { readonly [S in Split]: readonly string[] };
  readonly labelBytes: number;
  /** Which of the label bytes is the class. */
  readonly labelAt: number;
  readonly classes: readonly string[];
}

/** https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version". */
export const cifar10: CifarLayout = {
  folder: 'cifar-10-batches-bin',
  files: {
    train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
    test: ['test_batch.bin'],
  },
  labelBytes: 1,
  labelAt: 0,
  classes: [
    'airplane',
    'automobile',
    'bird',
    'cat',
    'deer',
    'dog',
    'frog',
    'horse',
    'ship',
    'truck',
  ],
};

/** Far above any CIFAR set, far below what would not fit into memory. */
const mostImages = 500_000;
const recordsPerRead = 256;
const fix = 'name a directory that holds the unpacked binary version of the data set';

function statusOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new InputError(code === 'ENOENT' ? 'no such file or directory' : `unreadable (${code})`, {
      where: path,
      fix,
    });
  }
}

function folderOf(layout: CifarLayout, dir: string): string {
  const inner = join(dir, layout.folder);
  const folder = existsSync(inner) ? inner : dir;
  if (!statusOf(folder).isDirectory()) {
    throw new InputError('not a directory', { where: folder, fix });
  }
  return folder;
}

function countRecords(path: string, recordBytes: number): number {
  const status = statusOf(path);
  if (!status.isFile()) throw new InputError('not a regular file', { where: path, fix });
  if (status.size === 0) throw new InputError('empty file', { where: path, fix });
  if (status.size % recordBytes !== 0) {
    throw new InputError(
      `${status.size} bytes are not a whole number of ${recordBytes}-byte records`,
      {
        where: path,
        fix: 'it is damaged or another data set: unpack the archive again',
      },
    );
  }
  return status.size / recordBytes;
}

function readFully(descriptor: number, into: Uint8Array, path: string): void {
  for (let filled = 0; filled < into.length; ) {
    const got = readSync(descriptor, into, filled, into.length - filled, null);
    if (got === 0) {
      throw new InputError('the file became shorter while it was read', { where: path, fix });
    }
    filled += got;
  }
}

/** Reads `count` records of one file to place `first` of the set. */
function readRecords(
  path: string,
  layout: CifarLayout,
  count: number,
  images: Uint8Array,
  labels: Uint8Array,
  first: number,
): void {
  const recordBytes = layout.labelBytes + imageBytes;
  const buffer = new Uint8Array(recordBytes * Math.min(recordsPerRead, count));
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new InputError(`unreadable (${(error as NodeJS.ErrnoException).code})`, {
      where: path,
      fix: 'check its permissions',
    });
  }
  try {
    for (let start = 0; start < count; start += recordsPerRead) {
      const records = Math.min(recordsPerRead, count - start);
      readFully(descriptor, buffer.subarray(0, records * recordBytes), path);
      for (let r = 0; r < records; r++) {
        const at = r * recordBytes;
        const label = buffer[at + layout.labelAt];
        if (label >= layout.classes.length) {
          throw new InputError(
            `record ${start + r} has label ${label}, but there are ${layout.classes.length} classes`,
            { where: path, fix: 'it is damaged or another data set: unpack the archive again' },
          );
        }
        const place = first + start + r;
        labels[place] = label;
        images.set(buffer.subarray(at + layout.labelBytes, at + recordBytes), place * imageBytes);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads one split. `dir` is the archive's folder or the directory it was unpacked in; its files may
 * hold any number of records. Throws InputError, naming the file, where something does not fit.
 */
export function readCifar(layout: CifarLayout, dir: string, split: Split): ImageSet {
  const folder = folderOf(layout, dir);
  const files = layout.files[split].map((file) => {
    const path = join(folder, file);
    return { path, records: countRecords(path, layout.labelBytes + imageBytes) };
  });
  const count = files.reduce((sum, file) => sum + file.records, 0);
  if (count > mostImages) {
    throw new InputError(`${count} images are more than the ${mostImages} a set may hold`, {
      where: folder,
      fix,
    });
  }
  const images = new Uint8Array(count * imageBytes);
  const labels = new Uint8Array(count);
  let first = 0;
  for (const { path, records } of files) {
    readRecords(path, layout, records, images, labels, first);
    first += records;
  }
  return { images, labels, count, classes: layout.classes };
}

/** CIFAR-10's training or test images; see `readCifar`. */
export const readCifar10 = (dir: string, split: Split): ImageSet => readCifar(cifar10, dir, split);
