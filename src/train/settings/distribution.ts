import { z } from 'zod';
import { reductions } from '../../distributed/reduce.ts';
import { UsageError } from '../../errors.ts';
import { counted } from '../../words.ts';

/** How the ranks' own generators are seeded: by the run's seed plus the rank, or all by the run's seed. */
export const rankSeedings = ['offset', 'same'] as const;
export type RankSeeding = (typeof rankSeedings)[number];

/** What a run in several processes depends on besides. */
export const distributedSchema = z.strictObject({
  ranks: z.int().min(1),
  reduce: z.enum(reductions),
  rankSeeds: z.enum(rankSeedings),
});

export type Distribution = Readonly<z.infer<typeof distributedSchema>>;

export const usualDistribution = { reduce: 'fast', rankSeeds: 'offset' } as const;

const told = (of: Distribution | undefined): string =>
  of === undefined ? 'in one process alone' : `on ${counted(of.ranks, 'rank')}`;

const startAs = (of: Distribution | undefined): string =>
  of === undefined
    ? 'without mpirun and --distributed'
    : `by mpirun -np ${of.ranks} and with --distributed`;

/**
 * Throws UsageError, naming the checkpoint, where a run would go on among other ranks: their parts of the batch, and
 * so all that follows, would be others.
 */
export function resumedDistribution(
  began: Distribution | undefined,
  now: Distribution | undefined,
  where: string,
): void {
  if (began?.ranks !== now?.ranks) {
    throw new UsageError(`the run began ${told(began)}, not ${told(now)}`, {
      where,
      fix: `start it ${startAs(began)}, or start again in another --dir`,
    });
  }
  if (began === undefined || now === undefined) return;
  const flags = { reduce: '--reduce', rankSeeds: '--rank-seeds' } as const;
  for (const name of ['reduce', 'rankSeeds'] as const) {
    if (began[name] === now[name]) continue;
    throw new UsageError(`the run began with ${flags[name]} ${began[name]}, not ${now[name]}`, {
      where,
      fix: `give ${flags[name]} ${began[name]}, or start again in another --dir`,
    });
  }
}
