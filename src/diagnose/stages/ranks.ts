import type { Reference } from '../../align/reference/reference.ts';
import {
  heldGradients,
  meanName,
  prefixOf,
  rankCounts,
  recordedMeans,
  recordOf,
} from '../../align/stages/ddp/ddpRecord.ts';

/** Of each mean over ranks in stage *ddp*, by its name: what each rank gave. */
export function ownGradients(reference: Reference) {
  const all = new Map<string, readonly Float64Array[]>();
  for (const ranks of rankCounts(reference)) {
    const record = recordOf(reference, ranks);
    for (let step = 1; step <= record.settings.steps; step++) {
      const { own } = recordedMeans(record, step);
      for (const { name, from, count } of heldGradients(reference, record)) {
        all.set(
          `${prefixOf(record)}, ${meanName(step, name)}`,
          own.map((row) => Float64Array.from(row.subarray(from, from + count))),
        );
      }
    }
  }
  return (name: string): readonly Float64Array[] | undefined => all.get(name);
}
