import { join } from 'node:path';
import { fixturesDirectory, openReference } from '../../../align/reference/reference.ts';
import type { Fed, FedBatch } from '../../../align/stages/fed.ts';
import { augmentImages, normalisationTable } from '../../../data/augmentation.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import { plainly, type Shown } from '../pixels/shown.ts';
import { type FedRecord, fedRecord, type ToldBatch } from '../record.ts';

export const openedRun = (model: string) =>
  openReference(join(fixturesDirectory, 'reference', model), model);

export const recordOf = (model: string): FedRecord => {
  const record = fedRecord(openedRun(model));
  if (record === undefined) throw new Error(`the reference of ${model} does not say what was fed`);
  return record;
};

const shape = (n: number): number[] => [n, 3, 32, 32];

/** Images as they are shown, by the code that trains: its bytes are held against PyTorch's. */
export const rendered = (shown: readonly Shown[], { train, constants }: FedRecord): Float32Array =>
  augmentImages(
    train.images,
    Int32Array.from(shown, ({ index }) => index),
    {
      flip: Uint8Array.from(shown, ({ flip }) => (flip ? 1 : 0)),
      top: Uint8Array.from(shown, ({ top }) => top),
      left: Uint8Array.from(shown, ({ left }) => left),
    },
    normalisationTable(constants),
  );

const labelsOf = (labels: readonly number[]): Tensor =>
  tensor('int64', [labels.length], BigInt64Array.from(labels, BigInt));

/** What is done otherwise with a batch of a step; which images, how they are shown, their numbers, labels and masks. */
export interface Otherwise {
  readonly shown?: (shown: readonly Shown[], step: number) => readonly Shown[];
  readonly pixel?: (value: number, channel: number, at: number) => number;
  readonly label?: (label: number, index: number) => number;
  readonly mask?: (mask: Float64Array, step: number, layer: number) => Float64Array;
}

function batchOf(
  told: ToldBatch,
  record: FedRecord,
  step: number,
  { shown, pixel, label, mask }: Otherwise,
): FedBatch {
  const ours = shown?.(told.shown, step) ?? told.shown;
  const images = rendered(ours, record);
  const changed =
    pixel === undefined
      ? images
      : images.map((value, at) => pixel(value, Math.floor(at / 1024) % 3, at));
  const { labels } = record.train;
  return {
    images: tensor('float32', shape(ours.length), changed),
    labels: labelsOf(ours.map(({ index }) => label?.(labels[index], index) ?? labels[index])),
    masks: told.masks.map((held, layer) => {
      const data = mask?.(held, step, layer) ?? held;
      return tensor('float32', [data.length], Float32Array.from(data));
    }),
  };
}

/** What a run from step `from` on is fed that does this otherwise. */
export const fedBy = (record: FedRecord, otherwise: Otherwise = {}, from = 0): Fed => ({
  prefix: '',
  from,
  steps: record.steps.slice(from).map((told, i) => batchOf(told, record, from + i, otherwise)),
  refreshes: record.refreshes
    .slice(from === 0 ? 0 : record.averaged[Math.floor(from / record.stepsAnEpoch) - 1])
    .map((pass) => pass.map((told, i) => batchOf(told, record, i, {}))),
  tests: [],
});

/** Test images in batches, as they are or done otherwise. */
export function testsBy(
  record: FedRecord,
  batch: number,
  indices: readonly number[],
  otherwise: Otherwise = {},
): FedBatch[] {
  const ofTest = { ...record, train: record.test };
  return Array.from({ length: Math.ceil(indices.length / batch) }, (_, k) => {
    const shown = indices.slice(k * batch, (k + 1) * batch).map(plainly);
    return batchOf({ shown, masks: [] }, ofTest, k, otherwise);
  });
}
