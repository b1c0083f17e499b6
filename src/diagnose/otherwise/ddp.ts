import type { Reference } from '../../align/reference/reference.ts';
import {
  type DdpRecord,
  prefixOf,
  rankCounts,
  recordOf,
} from '../../align/stages/ddp/ddpRecord.ts';
import type { Evidence } from '../suspect.ts';
import { sharedDraws } from './ranks/draws.ts';
import { evaluatedVariants } from './ranks/evaluated.ts';
import { orderVariants, rankSizeVariants } from './ranks/samples.ts';
import { apartVariants } from './ranks/states.ts';
import type { Variant } from './variant.ts';

/** Variants of what stage *ddp* judges, by its name. */
export function ddpVariants(reference: Reference) {
  const records = new Map<string, DdpRecord>(
    rankCounts(reference).map((ranks) => {
      const record = recordOf(reference, ranks);
      return [prefixOf(record), record];
    }),
  );
  return (name: string, evidence: Evidence): Iterable<Variant> => {
    const [, prefix, bare] = /^(\d+ ranks): (.*)$/.exec(name) ?? [];
    const record = records.get(prefix);
    const ours = evidence.ours(name);
    if (record === undefined || ours === undefined) return [];
    const under = (other: string) => evidence.ours(`${prefix}: ${other}`);
    if (bare === 'samples') return orderVariants(record);
    if (bare === 'batch sizes') return rankSizeVariants(record);
    if (/^(mask[01]|images)$/.test(bare)) return sharedDraws(record, ours, under);
    if (bare === 'test labels') return evaluatedVariants(reference, record);
    const [, rank] = /^(?:loss@\d+ of|weights and buffers of) rank (\d+)$/.exec(bare) ?? [];
    return rank === undefined ? [] : apartVariants(record, Number(rank), ours, under);
  };
}
