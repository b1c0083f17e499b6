import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { usualTiming, withLock } from '../../io/output/lock.ts';
import {
  type SeedGroup,
  type SeedResult,
  seedsJson,
  seedsTables,
} from '../../report/training/seedsTable.ts';
import { bySeed, type Seed } from '../../torch/seed.ts';
import { type FoundCheckpoint, newestCheckpoint } from '../../train/checkpoint/checkpointFiles.ts';
import type { Ending } from '../../train/events.ts';
import {
  planSeeds,
  type SeedPlan,
  seedDirectory,
  seedOf,
  seedProgress,
  seedsDirectory,
} from '../../train/loop/seeds.ts';
import {
  type GivenSettings,
  settingsFrom,
  type TrainingSettings,
} from '../../train/settings/trainingSettings.ts';
import { anotherDirectory, type Claims, claimReport } from '../claims.ts';
import type { CliContext } from '../context.ts';
import { hasRunReport, type ReportFlag, reportDirectory, writeTexts } from './runReportFiles.ts';

/** The flags that `--seeds` looks at. */
export interface SeedFlags {
  readonly seeds: readonly Seed[];
  readonly dir?: string;
  readonly report?: ReportFlag;
  readonly seed?: Seed;
  readonly resume?: string | true;
  readonly weights?: string;
  readonly logSteps?: string;
}

/** Several runs, planned. */
export interface SeedRuns {
  readonly directory: string;
  /** Where the reports of all go. */
  readonly report: string | undefined;
  readonly plans: readonly SeedPlan[];
  /** By the directories of the runs. */
  readonly claimed?: ReadonlyMap<string, AbortSignal>;
}

/** What one run needs to begin or to go on. */
export interface OneRun {
  readonly settings: TrainingSettings;
  readonly directory: string;
  /** Aborts when the directory is no longer this process's own. */
  readonly claim?: AbortSignal;
  readonly report: string | undefined;
  readonly found?: FoundCheckpoint;
}

/** Where the runs and their reports go. Throws UsageError for flags that mean a single run. */
function placeOf(flags: SeedFlags, given: GivenSettings) {
  const single = (['seed', 'resume', 'weights', 'logSteps'] as const).find(
    (name) => flags[name] !== undefined,
  );
  if (single !== undefined) {
    const flag = single === 'logSteps' ? 'log-steps' : single;
    throw new UsageError(`--${flag} is for one run, and --seeds makes several`, {
      fix:
        single === 'resume'
          ? 'leave --resume out: --seeds resumes by itself'
          : 'leave one of them out',
    });
  }
  const settings = settingsFrom(given);
  const directory = flags.dir ?? seedsDirectory(settings);
  return { settings, directory, report: reportDirectory(flags.report, directory) };
}

/** Looks at what is there for each seed. Throws UsageError for flags that mean a single run. */
export function planSeedRuns(flags: SeedFlags, given: GivenSettings): SeedRuns {
  const { settings, directory, report } = placeOf(flags, given);
  return { directory, report, plans: planSeeds(directory, flags.seeds, settings, given) };
}

/** The same, each seed's directories claimed first. Others may meanwhile make other seeds beside them. */
export async function claimSeedRuns(
  flags: SeedFlags,
  given: GivenSettings,
  claims: Claims,
): Promise<SeedRuns> {
  const { settings, directory, report } = placeOf(flags, given);
  const claimed = new Map<string, AbortSignal>();
  for (const seed of flags.seeds) {
    const own = seedDirectory(directory, settings, seed);
    claimed.set(own, await claims.claim(own, anotherDirectory));
    await claimReport(report && join(report, basename(own)), claims);
  }
  return { ...planSeedRuns(flags, given), claimed };
}

/** A finished run without the report that is wanted is gone through again: it has no step left to make. */
const isDone = ({ state }: SeedPlan, report: string | undefined): boolean =>
  state === 'finished' && (report === undefined || hasRunReport(report));

/** Makes the runs that are not finished, one after the other, then the table of all that are. */
export async function trainSeeds(
  { directory, report, plans, claimed }: SeedRuns,
  trainOne: (run: OneRun) => Promise<Ending>,
  context: Pick<CliContext, 'print' | 'columns'>,
): Promise<Ending> {
  for (const plan of plans) {
    const own = report === undefined ? undefined : join(report, basename(plan.directory));
    if (isDone(plan, own)) {
      context.print(`seed ${plan.seed} is finished; ${plan.directory}`);
      continue;
    }
    const claim = claimed?.get(plan.directory);
    const ending = await trainOne({
      settings: plan.settings,
      directory: plan.directory,
      report: own,
      ...(claim && { claim }),
      ...(plan.state === 'new' ? {} : { found: newestCheckpoint(plan.directory) }),
    });
    if (ending === 'interrupted') {
      context.print(`the same command continues with seed ${plan.seed}`);
      return ending;
    }
  }
  await writeSeedTables({ directory, report }, context);
  return 'finished';
}

const settingsKey = ({ seed: _, ...rest }: TrainingSettings): string => JSON.stringify(rest);

/** The finished runs below a directory; only those that differ in nothing but the seed share a group. */
export function finishedGroups(directory: string): SeedGroup[] {
  const groups = new Map<string, SeedGroup & { readonly results: SeedResult[] }>();
  for (const name of readdirSync(directory)) {
    const swa = [false, true].find((s) => seedOf(name, { swa: s }) !== undefined);
    const progress = swa === undefined ? undefined : seedProgress(join(directory, name));
    const last = progress?.rows.at(-1);
    if (progress?.finished !== true || last?.testAccuracy === undefined) continue;
    const { settings } = progress;
    const { model, narrow, dataset, epochs, seed } = settings;
    const key = settingsKey(settings);
    const group = groups.get(key) ?? {
      model,
      ...(narrow !== undefined && { narrow }),
      dataset,
      epochs,
      method: settings.swa ? 'SWA' : 'SGD',
      results: [],
    };
    groups.set(key, group);
    group.results.push({
      seed,
      sgd: last.testAccuracy,
      ...(last.swaTestAccuracy !== undefined && { swa: last.swaTestAccuracy }),
    });
  }
  for (const { results } of groups.values()) results.sort((a, b) => bySeed(a.seed, b.seed));
  return [...groups.values()].sort((a, b) => a.method.localeCompare(b.method));
}

/** One process at a time, each with what is finished by then: others may make further seeds there. */
async function writeSeedTables(
  { directory, report }: Pick<SeedRuns, 'directory' | 'report'>,
  context: Pick<CliContext, 'print' | 'columns'>,
): Promise<void> {
  await withLock(join(directory, '.seeds.lock'), { timing: usualTiming }, async () => {
    const groups = finishedGroups(directory);
    if (groups.length === 0) return;
    const markdown = seedsTables(groups);
    for (const dir of [directory, report]) {
      if (dir !== undefined) {
        writeTexts(dir, { 'seeds.md': markdown, 'seeds.json': seedsJson(groups) });
      }
    }
    context.print(
      `\n${seedsTables(groups, context.columns)}\ntable in ${join(directory, 'seeds.md')}`,
    );
  });
}
