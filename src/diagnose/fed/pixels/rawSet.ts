import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const side = 32;
export const plane = side * side;
export const pixels = 3 * plane;

/** Images as they lie in the files of a set, read apart from the reader that may hold the mistake. */
export interface RawSet {
  /** [count, 3, 32, 32] */
  readonly images: Uint8Array;
  /** [count]: the class. */
  readonly labels: Uint8Array;
  /** [count]: the label byte before it, where a record has two: CIFAR-100's coarse class. */
  readonly coarse?: Uint8Array;
  readonly count: number;
}

interface Layout {
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly labelBytes: number;
}

const ten: Layout = {
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  test: ['test_batch.bin'],
  labelBytes: 1,
};

const layouts: Readonly<Record<string, Layout>> = {
  synthetic: ten,
  cifar100: {
    folder: 'cifar-100-binary',
    train: ['train.bin'],
    test: ['test.bin'],
    labelBytes: 2,
  },
};

/** The images of a part of a set below `directory`; undefined where they are not there. */
export function rawSet(
  directory: string,
  dataset: string,
  part: 'train' | 'test',
): RawSet | undefined {
  const { folder, labelBytes, ...files } = layouts[dataset] ?? ten;
  const paths = files[part].map((name) => join(directory, folder, name));
  if (!paths.every((path) => existsSync(path))) return undefined;
  const bytes = Buffer.concat(paths.map((path) => readFileSync(path)));
  const record = labelBytes + pixels;
  const count = Math.floor(bytes.length / record);
  const images = new Uint8Array(count * pixels);
  const labelAt = (back: number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, i) => bytes[i * record + labelBytes - back]);
  for (let i = 0; i < count; i++) {
    images.set(bytes.subarray(i * record + labelBytes, (i + 1) * record), i * pixels);
  }
  return { images, labels: labelAt(1), ...(labelBytes > 1 && { coarse: labelAt(2) }), count };
}
