import { arrayOf, type Reference } from '../../align/reference/reference.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import type { Constants } from './pixels/constants.ts';
import { type RawSet, rawSet } from './pixels/rawSet.ts';
import { type First, type Shown, shownAs } from './pixels/shown.ts';

/** A batch of the reference: of which images it is made, and how they are shown. */
export interface ToldBatch {
  readonly shown: readonly Shown[];
  /** In forward order, a byte an element: 1 kept, 0 dropped. */
  readonly masks: readonly Float64Array[];
}

/** What the reference holds of everything a small run was fed. */
export interface FedRecord {
  readonly seed: number;
  readonly batch: number;
  /** Images and steps of an epoch. */
  readonly images: number;
  readonly stepsAnEpoch: number;
  readonly workers: number;
  /** Of dropout: the share that is dropped. */
  readonly dropout: number;
  readonly first: First;
  readonly constants: Constants;
  readonly train: RawSet;
  readonly test: RawSet;
  readonly steps: readonly ToldBatch[];
  /** Models in the average after each epoch. */
  readonly averaged: readonly number[];
  /** The passes that refreshed batch norm, each in its batches. */
  readonly refreshes: readonly (readonly ToldBatch[])[];
}

const maskNames = ['mask0', 'mask1'];

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );
}

/** Images that were drawn, one after the other, as they are shown. */
function shownOf(arrays: TensorMap, group: string, first: First): Shown[] {
  const [order, drawn] = [arrays.get(`${group}/order`), arrays.get(`${group}/drawn`)];
  if (order === undefined || drawn === undefined) return [];
  const numbers = toFloat64(drawn);
  return Array.from(toFloat64(order), (index, i) => {
    const [flip, top, column] = numbers.subarray(3 * i, 3 * i + 3);
    return shownAs(index, { flip: flip === 1, top, column }, first);
  });
}

const rowsOf = (mask: Tensor, from: number, to: number): Float64Array => {
  const [, width] = mask.shape;
  return toFloat64(mask).slice(from * width, to * width);
};

/** Undefined where the reference is older than this, or its set is not there. */
export function fedRecord(reference: Reference): FedRecord | undefined {
  const { file, settings } = reference.stage('epochs');
  const { mean, std, first, images, batch, dataset } = settings;
  if (mean === undefined || std === undefined || first === undefined) return undefined;
  const arrays = reference.arrays(file);
  const directory = reference.syntheticDirectory();
  const [train, test] = (['train', 'test'] as const).map((part) =>
    rawSet(directory, dataset, part),
  );
  const fed = shownOf(arrays, 'fed', first);
  if (train === undefined || test === undefined || fed.length === 0) return undefined;
  const masks = maskNames.flatMap((name) => arrays.get(`fed/${name}`) ?? []);
  let at = 0;
  const steps = chunks(fed, images)
    .flatMap((epoch) => chunks(epoch, batch))
    .map((shown): ToldBatch => {
      const from = at;
      at += shown.length;
      return { shown, masks: masks.map((mask) => rowsOf(mask, from, at)) };
    });
  return {
    seed: settings.seed,
    batch,
    images,
    stepsAnEpoch: Math.ceil(images / batch),
    workers: settings.workers,
    dropout: settings.dropout,
    first,
    constants: { mean, std },
    train: { ...train, count: images },
    test: { ...test, count: settings.test_images },
    steps,
    averaged: Array.from(toFloat64(arrayOf(arrays, 'averaged', file))),
    refreshes: chunks(shownOf(arrays, 'refreshed', first), images).map((pass) =>
      chunks(pass, batch).map((shown) => ({ shown, masks: [] })),
    ),
  };
}
