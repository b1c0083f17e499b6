import { join } from 'node:path';
import { type ImageSet, readCifar10 } from '../data/cifar.ts';
import { UsageError } from '../errors.ts';
import { fixturesDirectory } from '../fixtures.ts';
import { sha256Hex } from '../io/sha256.ts';
import { type DatasetName, datasetNames } from './trainingSettings.ts';

/** What a run trains on and is tested on. */
export interface Dataset {
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/** A data set's images and labels as two SHA-256, so that a run is resumed on the data it began with. */
export interface DatasetDigest {
  readonly train: string;
  readonly test: string;
}

/** Accepts any spelling (`CIFAR10`). Throws UsageError. */
export function datasetName(text: string): DatasetName {
  const found = datasetNames.find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError(`there is no data set "${text}"`, {
    fix: `choose one of ${datasetNames.join(', ')}`,
  });
}

/**
 * Reads a data set by name. `cifar10` lies in `path`, in the official binary layout; `synthetic` comes
 * with the package. Throws UsageError without a path, InputError where the files do not fit.
 */
export function openDataset(name: DatasetName, path: string | undefined): Dataset {
  if (name === 'cifar10' && path === undefined) {
    throw new UsageError('--dataset cifar10 needs its directory', {
      fix: 'give --data-path DIR, which holds cifar-10-batches-bin/, or take --dataset synthetic',
    });
  }
  const dir = name === 'synthetic' ? join(fixturesDirectory, 'synthetic') : path!;
  return { train: readCifar10(dir, 'train'), test: readCifar10(dir, 'test') };
}

const digestOf = ({ images, labels }: ImageSet): string =>
  sha256Hex(new TextEncoder().encode(`${sha256Hex(images)} ${sha256Hex(labels)}`));

export const digestDataset = ({ train, test }: Dataset): DatasetDigest => ({
  train: digestOf(train),
  test: digestOf(test),
});
