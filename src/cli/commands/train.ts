import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Backend, backendLabel } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { UsageError } from '../../errors.ts';
import { readWeights } from '../../io/weights.ts';
import { modelName, models } from '../../nn/models/index.ts';
import type { Seed } from '../../torch/seed.ts';
import { readCheckpoint } from '../../train/checkpoint/checkpoint.ts';
import {
  type FoundCheckpoint,
  listCheckpoints,
  newestCheckpoint,
} from '../../train/checkpoint/checkpointFiles.ts';
import { notedDataPath } from '../../train/checkpoint/dataPath.ts';
import { claimFreshDirectory, lastDirectory } from '../../train/checkpoint/runDirectory.ts';
import { buildModel } from '../../train/checkpoint/trainedModel.ts';
import { datasetName } from '../../train/dataset.ts';
import type { Ending } from '../../train/events.ts';
import type { TrainingRun } from '../../train/loop/session.ts';
import { profileSettings } from '../../train/settings/profiles.ts';
import {
  type GivenSettings,
  recipe,
  resumedSettings,
  settingsFrom,
  type TrainingSettings,
} from '../../train/settings/trainingSettings.ts';
import { fittedWeights } from '../../train/stateDict.ts';
import { givenWords, shellLine } from '../arguments/commandLine.ts';
import {
  backendHelp,
  backendName,
  deviceHelp,
  deviceName,
  fraction,
  naturalNumber,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  seedList,
  torchSeed,
} from '../arguments/flags.ts';
import { outputDirectory, outputFile } from '../arguments/outputFlags.ts';
import { anotherDirectory, claimReport, warn } from '../claims.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { live } from '../terminal/liveLine.ts';
import { type FollowedRun, followRun } from '../train/followRun.ts';
import { type ReportFlag, reportDirectory, writeRunReport } from '../train/runReportFiles.ts';
import { claimSeedRuns, type OneRun, trainSeeds } from '../train/seedRuns.ts';

/** Flags that are settings of the run, under the settings' own names. */
type SettingFlags = Omit<GivenSettings, 'model' | 'dataset' | 'dropout'>;

export interface TrainFlags extends SettingFlags {
  readonly model?: string;
  readonly dataset?: string;
  readonly profile?: string;
  readonly dir?: string;
  readonly dataPath?: string;
  /** True without a file; `auto` also begins a run. */
  readonly resume?: string | true;
  readonly weights?: string;
  readonly saveFreq: number;
  readonly saveEverySteps?: number;
  readonly keep?: number;
  readonly steps?: number;
  readonly logSteps?: string;
  readonly seeds?: readonly Seed[];
  readonly report?: ReportFlag;
  readonly backend: string;
  readonly device: string;
  readonly grad?: string;
  readonly threads?: number;
}

const settingFlags = [
  'batchSize',
  'numWorkers',
  'epochs',
  'evalFreq',
  'lrInit',
  'momentum',
  'wd',
  'swa',
  'swaStart',
  'swaLr',
  'swaCEpochs',
  'seed',
] as const satisfies readonly (keyof SettingFlags)[];

export const train: RegisterCommand = (command, context) => {
  const r = recipe;
  command
    .addOption(
      outputDirectory(
        '--dir <dir>',
        'where checkpoints and train_log.txt go (checkpoints/<name of the run>)',
      ),
    )
    .option(
      '--dataset <name>',
      `cifar10, cifar100 or synthetic, which comes with the package (${r.dataset})`,
    )
    .option('--data-path <dir>', 'directory of the unpacked data set (fetched into the cache)')
    .option('--batch-size <n>', `images a step (${r.batchSize})`, positiveInteger)
    .option(
      '--num-workers <n>',
      `draw as PyTorch does with n workers (${r.numWorkers})`,
      naturalNumber,
    )
    .option(
      '--model <name>',
      `${Object.values(models)
        .map((m) => m.title)
        .join(', ')} (VGG16)`,
    )
    .option(
      '--resume [file]',
      'go on from a checkpoint, or from the newest whole one of --dir; auto: begin where there is none',
    )
    .option('--epochs <n>', `epochs in all (${r.epochs})`, positiveInteger)
    .option('--save-freq <n>', 'epochs between checkpoints', positiveInteger, 25)
    .option('--save-every-steps <n>', 'also steps between checkpoints', positiveInteger)
    .option('--keep <n>', 'keep only the n newest checkpoints', positiveInteger)
    .option('--eval-freq <n>', `epochs between evaluations (${r.evalFreq})`, positiveInteger)
    .option('--lr-init <lr>', `learning rate of the first half (${r.lrInit})`, positiveNumber)
    .option('--momentum <m>', `SGD momentum (${r.momentum})`, fraction)
    .option('--wd <l>', `weight decay (${r.wd})`, nonNegativeNumber)
    .option('--swa', 'average the weights')
    .option('--no-swa', 'plain SGD (the default)')
    .option(
      '--swa-start <n>',
      `first epoch to be averaged, from 1 (${r.swaStart})`,
      positiveInteger,
    )
    .option('--swa-lr <lr>', `learning rate while averaging (${r.swaLr})`, positiveNumber)
    .option(
      '--swa-c-epochs <n>',
      `epochs between averaged models (${r.swaCEpochs})`,
      positiveInteger,
    )
    .option('--seed <n>', `PyTorch's manual_seed (${r.seed})`, torchSeed)
    .option('--seeds <list>', 'a run from each seed in turn (1,2,3), then mean ± sd', seedList)
    .option('--profile <name>', 'a published recipe by name; the command profiles lists them (swa)')
    .option('--weights <file>', 'begin with these weights (.pt, .safetensors, .npz)')
    .option('--steps <n>', 'stop after n steps in all', positiveInteger)
    .addOption(outputFile('--log-steps <file>', 'write step,lr,loss of every step as CSV'))
    .addOption(
      outputDirectory(
        '--report <dir>',
        'where a finished run reports to (reports/<name of the run>)',
      ),
    )
    .option('--no-report', 'write no report')
    .option('--backend <name>', backendHelp, backendName, 'ort')
    .option('--device <name>', deviceHelp, deviceName, 'auto')
    .option('--grad <rules>', 'tfjs: gradients by its own autodiff, or by our adjoints (ir)')
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger)
    .action((flags: TrainFlags, command: Command) => trainByFlags(flags, command, context));
};

/** Only what was on the command line: the rest is the recipe's, or the resumed run's. */
function givenSettings(flags: TrainFlags): GivenSettings {
  const { model, dataset, profile } = flags;
  const named = settingFlags.flatMap((name) =>
    flags[name] === undefined ? [] : [[name, flags[name]] as const],
  );
  return {
    ...(profile === undefined ? {} : profileSettings(profile)),
    ...(model === undefined ? {} : { model: modelName(model) }),
    ...(dataset === undefined ? {} : { dataset: datasetName(dataset) }),
    ...(Object.fromEntries(named) as GivenSettings),
  };
}

function warnOfOtherBackend({ path, checkpoint }: FoundCheckpoint, backend: Backend): void {
  const [before, now] = [checkpoint.backend, backendLabel(backend)];
  if (before === now) return;
  warn(`${path}: the run began on ${before} and goes on, otherwise rounded, on ${now}`);
}

/** The directory is claimed before anybody looks at what it holds. */
async function planRun(flags: TrainFlags, { claims }: CliContext): Promise<OneRun> {
  const given = givenSettings(flags);
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
    throw new UsageError('--weights begins a run and --resume goes on with one', {
      fix: 'leave one of them out, or give --resume auto',
    });
  }
  const goOn = (found: FoundCheckpoint): Promise<OneRun> => {
    const { path, checkpoint } = found;
    return plan(resumedSettings(checkpoint.settings, given, path), dir ?? dirname(path), found);
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
const dataPathOf = (
  { dataPath }: TrainFlags,
  { settings: { dataset }, found }: OneRun,
): string | undefined =>
  dataset === 'synthetic'
    ? undefined
    : (dataPath ?? (found && notedDataPath(dirname(found.path), dataset)));

/** Flags that a checkpoint makes needless. */
const inCheckpoint = [...settingFlags, 'model', 'dataset', 'profile', 'weights', 'resume'] as const;

/** The words that go on with a run, for a shell in which it was begun by these. */
function goingOn(command: Command, { ending, run, saved }: FollowedRun): string {
  const without = new Set<string>(inCheckpoint);
  if (ending === 'steps') without.add('steps');
  if (resolve(dirname(saved)) === resolve(run.directory)) without.add('dir');
  return shellLine('train', ['--resume', saved, ...givenWords(command, without)]);
}

/** Everything is checked and read before the first file is written. */
async function trainByFlags(
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
      context.print(`go on with: ${goingOn(command, made)}`);
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
        context.print(`go on with: ${shellLine('train', givenWords(command))}`);
      }
    }
  } finally {
    release();
  }
}
