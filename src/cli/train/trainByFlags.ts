import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Backend, backendLabel } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { readWeights } from '../../io/weights.ts';
import type { FoundCheckpoint } from '../../train/checkpoint/checkpointFiles.ts';
import { buildModel } from '../../train/checkpoint/trainedModel.ts';
import type { Ending } from '../../train/events.ts';
import type { TrainingRun } from '../../train/loop/session.ts';
import { fittedWeights } from '../../train/stateDict.ts';
import { givenWords, shellLine } from '../arguments/commandLine.ts';
import { warn } from '../claims.ts';
import type { CliContext } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { live } from '../terminal/liveLine.ts';
import { type FollowedRun, followRun } from './followRun.ts';
import { givenSettings, settingFlags, type TrainFlags } from './givenSettings.ts';
import { dataPathOf, planRun } from './planRun.ts';
import { writeRunReport } from './runReportFiles.ts';
import { claimSeedRuns, type OneRun, trainSeeds } from './seedRuns.ts';

function warnOfOtherBackend({ path, checkpoint }: FoundCheckpoint, backend: Backend): void {
  const [before, now] = [checkpoint.backend, backendLabel(backend)];
  if (before === now) return;
  warn(`${path}: the run began on ${before} and goes on, otherwise rounded, on ${now}`);
}

/** Flags that a checkpoint makes needless. */
const inCheckpoint = [...settingFlags, 'model', 'dataset', 'profile', 'weights', 'resume'] as const;

/** The words that go on with a run, for a shell in which it was begun by these. */
function goingOn(command: Command, { ending, run, saved }: FollowedRun): string {
  const without = new Set<string>(inCheckpoint);
  if (ending === 'steps') without.add('steps');
  if (resolve(dirname(saved)) === resolve(run.directory)) without.add('dir');
  return shellLine('train', ['--resume', saved, ...givenWords(command, without)]);
}

/** Trains, once or from each seed in turn. Everything is checked and read before the first file is written. */
export async function trainByFlags(
  flags: TrainFlags,
  command: Command,
  context: CliContext,
): Promise<void> {
  const { seeds } = flags;
  const several =
    seeds && (await claimSeedRuns({ ...flags, seeds }, givenSettings(flags), context.claims));
  const single = several === undefined ? await planRun(flags, context) : undefined;
  if (flags.logSteps !== undefined) {
    await context.claims.claimFile(flags.logSteps, 'give --log-steps another file');
  }
  const { settings } = single ?? several!.plans[0];
  live.begin(`reading ${settings.dataset}`);
  const dataPath = single === undefined ? flags.dataPath : dataPathOf(flags, single);
  const dataset = await openNamedDataset(settings.dataset, dataPath);
  const model = buildModel(settings.model, settings.dataset);
  const given =
    flags.weights === undefined || single?.found !== undefined
      ? undefined
      : fittedWeights(model, readWeights(flags.weights), flags.weights);
  for (const note of given?.notes ?? []) context.print(`${flags.weights}: ${note}`);
  live.begin(`opening ${flags.backend}`);
  const backend = await openBackend(flags.backend, flags);
  const stop = new AbortController();
  const trainOne = async ({ found, report, ...plan }: OneRun): Promise<Ending> => {
    if (found !== undefined) warnOfOtherBackend(found, backend);
    const run: TrainingRun = {
      ...plan,
      model,
      dataset,
      backend,
      saveFreq: flags.saveFreq,
      signal: stop.signal,
      ...(dataPath !== undefined && { dataPath }),
      ...(given && { weights: given.weights }),
      ...(found && { resume: found }),
      ...(flags.saveEverySteps && { saveEverySteps: flags.saveEverySteps }),
      ...(flags.keep && { keep: flags.keep }),
      ...(flags.steps && { steps: flags.steps }),
    };
    live.begin('the initial weights');
    const made = await followRun(run, flags.logSteps, context);
    const { ending } = made;
    if (ending !== 'finished' && several === undefined) {
      context.printWhole(`go on with: ${goingOn(command, made)}`);
    }
    if (ending === 'finished' && report !== undefined) {
      writeRunReport(report, { ...made, ...(flags.threads && { threads: flags.threads }) });
      context.print(`report in ${report}`);
    }
    return ending;
  };
  const release = onInterrupt({
    stop,
    because: { what: 'training interrupted' },
    tell: () => warn('stopping after this step, with a checkpoint; once more stops at once'),
  });
  try {
    if (several === undefined) await trainOne(single!);
    else {
      const ending = await trainSeeds(several, trainOne, context);
      if (ending === 'interrupted') {
        context.printWhole(`go on with: ${shellLine('train', givenWords(command))}`);
      }
    }
  } finally {
    release();
  }
}
