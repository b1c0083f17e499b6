import { type DdpRecord, stepsAnEpoch } from '../../../align/stages/ddp/ddpRecord.ts';
import { type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { manualSeed } from '../../../torch/generator.ts';
import { randperm } from '../../../torch/integers.ts';
import { sizeVariants } from '../decisions.ts';
import type { RunSettings } from '../settings.ts';
import type { Variant } from '../variant.ts';

/** A sample of a rank, by its place in the rank's part. */
type Taken = (at: { readonly epoch: number; readonly rank: number; readonly i: number }) => number;

/** Which samples are whose, an epoch of a rank a row, were a DistributedSampler made or used otherwise. */
export function* orderVariants({ ranks, section }: DdpRecord): Generator<Variant> {
  const { seed, images, epochs } = section.settings;
  const each = Math.ceil(images / ranks);
  const orders = new Map<number, Int32Array>();
  const order = (from: number): Int32Array => {
    const found = orders.get(from) ?? randperm(manualSeed(BigInt(from)), images);
    orders.set(from, found);
    return found;
  };
  const rows = (of: Taken, count = each): Tensor => {
    const all: bigint[] = [];
    for (let rank = 0; rank < ranks; rank++) {
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (let i = 0; i < count; i++) all.push(BigInt(of({ epoch, rank, i })));
      }
    }
    return tensor('int64', [ranks * epochs, count], BigInt64Array.from(all));
  };
  const other = (key: string, says: string, of: Taken, count?: number): Variant => ({
    key: `samples ${key}`,
    says,
    value: rows(of, count),
  });
  /** Every `ranks`-th of a list. */
  const dealt =
    (list: (epoch: number, rank: number) => Int32Array): Taken =>
    ({ epoch, rank, i }) => {
      const all = list(epoch, rank);
      return all[(rank + i * ranks) % all.length];
    };
  yield other(
    'of the first epoch',
    'every epoch has the order of the first: set_epoch is not called',
    dealt(() => order(seed)),
  );
  yield other(
    'of the epoch after',
    'each epoch has the order of the one after it: set_epoch is told epochs from 1 on',
    dealt((epoch) => order(seed + epoch + 1)),
  );
  yield other(
    'in order',
    'not shuffled: each rank takes its part of the set in order',
    ({ rank, i }) => (rank + i * ranks) % images,
  );
  yield other(
    'of each seed',
    'each rank shuffles by a seed of its own: some samples are of several ranks, some of none',
    dealt((epoch, rank) => order(seed + rank + epoch)),
  );
  yield other(
    'in blocks',
    `ranks have contiguous blocks of the order, not every ${ranks === 2 ? 'second' : `${ranks}th`} sample`,
    ({ epoch, rank, i }) => order(seed + epoch)[(rank * each + i) % images],
  );
  if (images % ranks === 0) return;
  const more = each * ranks - images;
  const filled = (by: (k: number) => number): Taken => {
    return ({ epoch, rank, i }) => {
      const at = rank + i * ranks;
      return order(seed + epoch)[at < images ? at : by(at - images)];
    };
  };
  const fill = (with_: string): string =>
    `parts are filled up with ${with_} of the order, the reference's with the first`;
  yield other(
    'filled by the last',
    fill('the last sample'),
    filled(() => images - 1),
  );
  if (more > 1) {
    yield other(
      'filled by the last ones',
      fill(`the last ${more} samples`),
      filled((k) => images - more + k),
    );
    yield other(
      'filled by the first',
      fill('the first sample alone'),
      filled(() => 0),
    );
  }
  yield other(
    'cut',
    'the samples that cannot be shared evenly are dropped (drop_last), the reference fills up',
    dealt((epoch) => order(seed + epoch)),
    Math.floor(images / ranks),
  );
}

/** Images of each step of every rank, were batches made otherwise. */
export function* rankSizeVariants(record: DdpRecord): Generator<Variant> {
  const { ranks, section } = record;
  const { epochs, batch, lr_init: lrInit } = section.settings;
  const run: RunSettings = { lrInit, epochs, steps: stepsAnEpoch(record), from: 0 };
  const images = Math.ceil(section.settings.images / ranks);
  for (const { value, ...rest } of sizeVariants(run, { images, batch })) {
    const each = [...toFloat64(value)];
    const all = Array.from({ length: ranks }, () => each).flat();
    yield { ...rest, value: tensor('float64', [all.length], Float64Array.from(all)) };
  }
}
