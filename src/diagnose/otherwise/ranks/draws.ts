import {
  type DdpRecord,
  imagesIn,
  stepCount,
  stepsAnEpoch,
} from '../../../align/stages/ddp/ddpRecord.ts';
import { digestRows } from '../../../align/stages/sameStart.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Variant } from '../variant.ts';

/** The ranks whose digests are rank 0's in the first epoch: behind it rank 0 alone draws, for its evaluations. */
function like0(record: DdpRecord, digests: Tensor): number[] {
  const { ranks } = record;
  const steps = stepCount(record);
  const [rows, width] = digests.shape;
  if (rows !== ranks * steps) return [];
  const row = (rank: number, step: number): string => {
    const from = (rank * steps + step) * width;
    return digests.data.subarray(from, from + width).join();
  };
  const all = Array.from({ length: ranks - 1 }, (_, i) => i + 1);
  const each = Array.from({ length: stepsAnEpoch(record) }, (_, step) => step);
  return all.filter((rank) => each.every((step) => row(rank, step) === row(0, step)));
}

/** Whether the masks of rank 0 are one and the same in all steps of as many images. */
function isOneMask(record: DdpRecord, digests: Tensor): boolean {
  const width = digests.shape[1];
  const bySize = new Map<number, Set<string>>();
  for (let step = 0; step < stepCount(record); step++) {
    const size = imagesIn(record, step);
    const row = digests.data.subarray(step * width, (step + 1) * width).join();
    bySize.set(size, (bySize.get(size) ?? new Set()).add(row));
  }
  return [...bySize.values()].every((rows) => rows.size === 1);
}

/**
 * Masks that rank 0 has, too, and images that are drawn as masks are: what all ranks draw from one seed. `ours` are
 * digests, a step of a rank a row, `under` what our side has by another name.
 */
export function* sharedDraws(
  record: DdpRecord,
  ours: Tensor,
  under: (name: string) => Tensor | undefined,
): Generator<Variant> {
  const { ranks, section } = record;
  const masks = ['mask0', 'mask1'].flatMap((name) => under(name) ?? []);
  const recorded = section.steps.flat().flatMap(({ mask0 }) => mask0 ?? []);
  // Where the reference's ranks share theirs nothing is told by it.
  if (masks.length === 0 || recorded.length !== ranks * stepCount(record)) return;
  if (like0(record, digestRows(recorded)).length > 0) return;
  if (masks.some((digests) => like0(record, digests).length < ranks - 1)) return;
  const same = masks.every((digests) => isOneMask(record, digests))
    ? ', and the same in every step'
    : '';
  yield {
    key: 'one seed',
    says: `every rank draws what rank 0 draws${same}: one seed on all ranks`,
    value: ours,
    freedom: 1,
  };
}
