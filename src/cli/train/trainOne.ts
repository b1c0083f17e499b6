import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Backend, backendLabel } from '../../backends/backend.ts';
import type { FoundCheckpoint } from '../../train/checkpoint/checkpointFiles.ts';
import type { Ending } from '../../train/events.ts';
import type { TrainingRun } from '../../train/loop/session.ts';
import { givenWords, shellLine } from '../arguments/commandLine.ts';
import { warn } from '../claims.ts';
import type { CliContext } from '../context.ts';
import { live } from '../terminal/liveLine.ts';
import { type FollowedRun, followRun } from './followRun.ts';
import { settingFlags, type TrainFlags } from './givenSettings.ts';
import type { OpenedRun } from './openRun.ts';
import { writeRunReport } from './runReportFiles.ts';
import type { OneRun } from './seedRuns.ts';

function warnOfOtherBackend({ path, checkpoint }: FoundCheckpoint, backend: Backend): void {
  const [before, now] = [checkpoint.backend, backendLabel(backend)];
  if (before === now) return;
  warn(`${path}: the run began on ${before} and continues, with other rounding, on ${now}`);
}

/** What a first Ctrl-C does to a run. */
export const interruption = {
  because: { what: 'training interrupted' },
  tell: () => warn('stopping after this step, with a checkpoint; once more stops at once'),
};

/** Flags that a checkpoint makes needless. */
const inCheckpoint = [...settingFlags, 'model', 'dataset', 'profile', 'weights', 'resume'] as const;

/** The words that go on with a run, for a shell in which it was begun by these. */
function goingOn(command: Command, { ending, run, saved }: FollowedRun): string {
  const without = new Set<string>(inCheckpoint);
  if (ending === 'steps') without.add('steps');
  if (resolve(dirname(saved)) === resolve(run.directory)) without.add('dir');
  return shellLine('train', ['--resume', saved, ...givenWords(command, without)]);
}

/** A run as it was planned, opened, and asked for by flags. */
export const runOf = (
  { found, report: _, ...plan }: OneRun,
  { dataPath, weights, ...opened }: OpenedRun,
  flags: TrainFlags,
  signal: AbortSignal,
): TrainingRun => ({
  ...plan,
  ...opened,
  saveFreq: flags.saveFreq,
  signal,
  ...(dataPath !== undefined && { dataPath }),
  ...(weights && { weights }),
  ...(found && { resume: found }),
  ...(flags.saveEverySteps && { saveEverySteps: flags.saveEverySteps }),
  ...(flags.keep && { keep: flags.keep }),
  ...(flags.steps && { steps: flags.steps }),
});

/** Trains, and reports to wherever it was planned. `single` runs say by which command they go on. */
export async function trainOne(
  run: TrainingRun,
  { found, report }: OneRun,
  { flags, command, single }: { flags: TrainFlags; command: Command; single: boolean },
  context: CliContext,
): Promise<Ending> {
  if (found !== undefined) warnOfOtherBackend(found, run.backend);
  live.begin('the initial weights');
  const made = await followRun(run, flags.logSteps, context);
  const { ending } = made;
  if (ending !== 'finished' && single) {
    const ranks = run.settings.distributed?.ranks;
    const launcher = ranks === undefined ? '' : `mpirun -np ${ranks} `;
    context.printWhole(`continue with: ${launcher}${goingOn(command, made)}`);
  }
  if (ending === 'finished' && report !== undefined) {
    writeRunReport(report, { ...made, ...(flags.threads && { threads: flags.threads }) });
    context.print(`report in ${report}`);
  }
  return ending;
}
