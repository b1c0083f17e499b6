import type { Reference } from '../../../align/reference/reference.ts';
import type { DdpRecord } from '../../../align/stages/ddp/ddpRecord.ts';
import { digestRows } from '../../../align/stages/sameStart.ts';
import { smallDataset } from '../../../align/stages/small/smallNetwork.ts';
import { sha256Hex } from '../../../io/sha256/sha256.ts';
import type { Variant } from '../variant.ts';

/** After the first epoch and the last, and of the average. */
const passes = 3;

/** Labels as a loader gives them, in int64. */
const labelDigest = (labels: readonly number[]): string =>
  sha256Hex(new Uint8Array(BigInt64Array.from(labels, BigInt).buffer));

/** Labels of each batch of the passes over the test images, were these shared among ranks or counted otherwise. */
export function* evaluatedVariants(
  reference: Reference,
  { ranks, section }: DdpRecord,
): Generator<Variant> {
  const { batch } = section.settings;
  const { test } = smallDataset(reference, section.settings);
  const labels = [...test.labels.subarray(0, test.count)];
  const rows = (all: readonly number[]) => {
    const batches = Array.from({ length: Math.ceil(all.length / batch) }, (_, k) =>
      labelDigest(all.slice(k * batch, (k + 1) * batch)),
    );
    return digestRows(Array.from({ length: passes }, () => batches).flat());
  };
  for (let more = 1; more <= batch; more++) {
    yield {
      key: `test filled up by ${more}`,
      says: `the first ${more > 1 ? `${more} images are` : 'image is'} counted twice: filled up as by a distributed sampler`,
      value: rows([...labels, ...labels.slice(0, more)]),
    };
  }
  for (let rank = 0; rank < ranks; rank++) {
    yield {
      key: `test part of rank ${rank}`,
      says: `rank ${rank}'s part of the test images alone is evaluated`,
      value: rows(labels.filter((_, i) => i % ranks === rank)),
    };
  }
}
