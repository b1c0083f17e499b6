import type { Seen } from './pixels/decode.ts';
import { sameView } from './pixels/shown.ts';
import type { ToldBatch } from './record.ts';

/** A batch of both sides, of as many images. */
export interface BatchPair {
  readonly theirs: ToldBatch;
  /** How each image came to be what our program was fed. */
  readonly ours: readonly Seen[];
}

/** A pass over the set, or what is seen of it. */
export interface PassPair {
  /** `epoch 3` */
  readonly name: string;
  /** The number of its first batch here, from 0. */
  readonly first: number;
  /** The order of the whole pass in the reference. */
  readonly order: readonly number[];
  readonly batches: readonly BatchPair[];
}

export const ourOrder = ({ batches }: PassPair): number[] =>
  batches.flatMap(({ ours }) => ours.map(({ index }) => index));

export const theirOrder = ({ batches }: PassPair): number[] =>
  batches.flatMap(({ theirs }) => theirs.shown.map(({ index }) => index));

export const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** A batch whose images are mirrored or cropped otherwise. */
export interface WrongBatch {
  readonly pass: PassPair;
  /** Its number in the pass. */
  readonly k: number;
  readonly batch: BatchPair;
}

export const wrongBatches = (passes: readonly PassPair[]): WrongBatch[] =>
  passes.flatMap((pass) =>
    pass.batches.flatMap((batch, i) =>
      batch.ours.every((image, j) => sameView(image, batch.theirs.shown[j]))
        ? []
        : [{ pass, k: pass.first + i, batch }],
    ),
  );
