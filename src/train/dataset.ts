import { join } from 'node:path';
import { type CifarLayout, cifar10, type ImageSet, readCifar } from '../data/cifar.ts';
import { cifarArchives } from '../data/cifarArchives.ts';
import { UsageError } from '../errors.ts';
import { fixturesDirectory } from '../fixtures.ts';
import { sha256Hex } from '../io/sha256/sha256.ts';
import { type DatasetName, datasetNames } from './settings/trainingSettings.ts';

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

/** The synthetic set that comes with the package is laid out as CIFAR-10 is. */
const layoutOf = (name: DatasetName): CifarLayout =>
  name === 'synthetic' ? cifar10 : cifarArchives[name].layout;

/** What the classes are called, by their labels; those of the synthetic set are called nothing. */
export const classNames = (name: DatasetName): readonly string[] | undefined =>
  name === 'synthetic' ? undefined : layoutOf(name).classes;

/** How many classes a model for it tells apart. */
export const classCount = (name: DatasetName): number => layoutOf(name).classes.length;

/** Throws UsageError where a model of one data set has no class for what another shows. */
export function checkClasses(trainedOn: DatasetName, shown: DatasetName): void {
  const [its, others] = [trainedOn, shown].map(classCount);
  if (its === others) return;
  throw new UsageError(`${shown} has ${others} classes, and the model ${its}`, {
    where: '--dataset',
    fix: `leave it out: the model was trained on ${trainedOn}`,
  });
}

/**
 * Reads a data set by name from the directory that holds it, in the official binary layout; `synthetic`
 * comes with the package. Throws UsageError without a path, InputError where the files do not fit.
 */
export function openDataset(name: DatasetName, path: string | undefined): Dataset {
  const layout = layoutOf(name);
  const dir = name === 'synthetic' ? join(fixturesDirectory, 'synthetic') : path;
  if (dir === undefined) {
    throw new UsageError(`--dataset ${name} needs its directory`, {
      fix: `give --data-path DIR, which holds ${layout.folder}/, or take --dataset synthetic`,
    });
  }
  return { train: readCifar(layout, dir, 'train'), test: readCifar(layout, dir, 'test') };
}

const digestOf = ({ images, labels }: ImageSet): string =>
  sha256Hex(new TextEncoder().encode(`${sha256Hex(images)} ${sha256Hex(labels)}`));

export const digestDataset = ({ train, test }: Dataset): DatasetDigest => ({
  train: digestOf(train),
  test: digestOf(test),
});
