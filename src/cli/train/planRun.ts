import { dirname } from 'node:path';
import { UsageError } from '../../errors.ts';
import { readCheckpoint } from '../../train/checkpoint/checkpoint.ts';
import {
  type FoundCheckpoint,
  listCheckpoints,
  newestCheckpoint,
} from '../../train/checkpoint/checkpointFiles.ts';
import { notedDataPath } from '../../train/checkpoint/dataPath.ts';
import { claimFreshDirectory, lastDirectory } from '../../train/checkpoint/runDirectory.ts';
import { type Distribution, usualDistribution } from '../../train/settings/distribution.ts';
import {
  type GivenSettings,
  resumedSettings,
  settingsFrom,
  type TrainingSettings,
} from '../../train/settings/trainingSettings.ts';
import { anotherDirectory, claimReport, warn } from '../claims.ts';
import type { CliContext } from '../context.ts';
import { givenSettings, type TrainFlags } from './givenSettings.ts';
import { reportDirectory } from './runReportFiles.ts';
import type { OneRun } from './seedRuns.ts';

/** The settings that were given, on so many ranks; how these work together is left as it began. */
const givenOnRanks = (
  flags: TrainFlags,
  ranks: number | undefined,
  { reduce, rankSeeds }: Omit<Distribution, 'ranks'> = usualDistribution,
): GivenSettings => ({
  ...givenSettings(flags),
  ...(ranks !== undefined && {
    distributed: {
      ranks,
      reduce: flags.reduce ?? reduce,
      rankSeeds: flags.rankSeeds ?? rankSeeds,
    },
  }),
});

/**
 * A run that begins or goes on, as its flags say. The directory is claimed before anybody looks at what it holds. Throws
 * UsageError or InputError.
 */
export async function planRun(
  flags: TrainFlags,
  { claims }: CliContext,
  ranks?: number,
): Promise<OneRun> {
  const given = givenOnRanks(flags, ranks);
  const plan = async (
    settings: TrainingSettings,
    directory: string,
    found?: FoundCheckpoint,
  ): Promise<OneRun> => ({
    settings,
    directory,
    claim: await claims.claim(directory, anotherDirectory),
    report: await claimReport(reportDirectory(flags.report, directory), claims),
    ...(found && { found }),
  });
  const { resume, dir } = flags;
  if (resume === undefined) {
    const settings = settingsFrom(given);
    if (dir !== undefined) return plan(settings, dir);
    const claim = await claimFreshDirectory(settings, { tell: warn });
    claims.add(claim);
    return plan(settings, claim.path);
  }
  if (flags.weights !== undefined && resume !== 'auto') {
    throw new UsageError('--weights starts a run and --resume continues one', {
      fix: 'leave one of them out, or give --resume auto',
    });
  }
  const goOn = (found: FoundCheckpoint): Promise<OneRun> => {
    const { path, checkpoint } = found;
    const { distributed } = checkpoint.settings;
    const again = givenOnRanks(flags, ranks, distributed);
    return plan(resumedSettings(checkpoint.settings, again, path), dir ?? dirname(path), found);
  };
  if (resume !== true && resume !== 'auto') {
    return goOn({ path: resume, checkpoint: readCheckpoint(resume), skipped: [] });
  }
  const last = dir ?? lastDirectory(settingsFrom(given));
  await claims.claim(last, anotherDirectory);
  if (resume === 'auto' && listCheckpoints(last).length === 0) {
    return plan(settingsFrom(given), last);
  }
  const found = newestCheckpoint(last);
  for (const line of found.skipped) warn(`${line} (skipped)`);
  return goOn(found);
}

/** The directory that the data set is read from: the one that was named, now or when the run began. */
export const dataPathOf = (
  { dataPath }: TrainFlags,
  { settings: { dataset }, found }: OneRun,
): string | undefined =>
  dataset === 'synthetic'
    ? undefined
    : (dataPath ?? (found && notedDataPath(dirname(found.path), dataset)));
