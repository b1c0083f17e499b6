import { dirname } from 'node:path';
import { type Backend, backendLabel } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { UsageError } from '../../errors.ts';
import { readWeights } from '../../io/weights.ts';
import { modelName, models } from '../../nn/models/index.ts';
import type { Seed } from '../../torch/seed.ts';
import { readCheckpoint } from '../../train/checkpoint.ts';
import { type FoundCheckpoint, newestCheckpoint } from '../../train/checkpointFiles.ts';
import { datasetName } from '../../train/dataset.ts';
import type { Ending } from '../../train/events.ts';
import { profileSettings } from '../../train/profiles.ts';
import { freshDirectory, lastDirectory } from '../../train/runDirectory.ts';
import type { TrainingRun } from '../../train/session.ts';
import { fittedWeights } from '../../train/stateDict.ts';
import {
  type GivenSettings,
  recipe,
  resumedSettings,
  settingsFrom,
  type TrainingSettings,
} from '../../train/trainingSettings.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import {
  backendHelp,
  deviceHelp,
  naturalNumber,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  seedList,
  torchSeed,
} from '../flags.ts';
import { followRun } from '../followRun.ts';
import { onInterrupt } from '../interrupt.ts';
import { live } from '../liveLine.ts';
import { outputDirectory, outputFile } from '../outputFlags.ts';
import { type ReportFlag, reportDirectory, writeRunReport } from '../runReportFiles.ts';
import { type OneRun, planSeedRuns, trainSeeds } from '../seedRuns.ts';

/** Flags that are settings of the run, under the settings' own names. */
type SettingFlags = Omit<GivenSettings, 'model' | 'dataset' | 'dropout'>;

export interface TrainFlags extends SettingFlags {
  readonly model?: string;
  readonly dataset?: string;
  readonly profile?: string;
  readonly dir?: string;
  readonly dataPath?: string;
  /** True without a file. */
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

export const train: RegisterCommand = (program, context) => {
  const r = recipe;
  program
    .command('train')
    .description('train by SGD or SWA; flags as in the SWA authors’ train.py')
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
    .option('--resume [file]', 'go on from a checkpoint, or from the newest whole one of --dir')
    .option('--epochs <n>', `epochs in all (${r.epochs})`, positiveInteger)
    .option('--save-freq <n>', 'epochs between checkpoints', positiveInteger, 25)
    .option('--save-every-steps <n>', 'also steps between checkpoints', positiveInteger)
    .option('--keep <n>', 'keep only the n newest checkpoints', positiveInteger)
    .option('--eval-freq <n>', `epochs between evaluations (${r.evalFreq})`, positiveInteger)
    .option('--lr-init <lr>', `learning rate of the first half (${r.lrInit})`, positiveNumber)
    .option('--momentum <m>', `SGD momentum (${r.momentum})`, nonNegativeNumber)
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
    .option('--backend <name>', backendHelp, 'ort')
    .option('--device <name>', deviceHelp, 'auto')
    .option('--grad <rules>', 'tfjs: gradients by its own autodiff, or by our adjoints (ir)')
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger)
    .action((flags: TrainFlags) => trainByFlags(flags, context));
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

const warn = (line: string): void => {
  live.say(`swa-align: ${line}`);
};

/** The checkpoint to go on from, damaged newer ones named. */
function findCheckpoint({ resume, dir }: TrainFlags, given: GivenSettings): FoundCheckpoint {
  if (typeof resume === 'string') {
    return { path: resume, checkpoint: readCheckpoint(resume), skipped: [] };
  }
  const found = newestCheckpoint(dir ?? lastDirectory(settingsFrom(given)));
  for (const line of found.skipped) warn(`${line} (skipped)`);
  return found;
}

function warnOfOtherBackend({ path, checkpoint }: FoundCheckpoint, backend: Backend): void {
  const [before, now] = [checkpoint.backend, backendLabel(backend)];
  if (before === now) return;
  warn(`${path}: the run began on ${before} and goes on, otherwise rounded, on ${now}`);
}

function planRun(flags: TrainFlags): OneRun {
  const given = givenSettings(flags);
  const plan = (
    settings: TrainingSettings,
    directory: string,
    found?: FoundCheckpoint,
  ): OneRun => ({
    settings,
    directory,
    report: reportDirectory(flags.report, directory),
    ...(found && { found }),
  });
  if (flags.resume === undefined) {
    const settings = settingsFrom(given);
    return plan(settings, flags.dir ?? freshDirectory(settings));
  }
  if (flags.weights !== undefined) {
    throw new UsageError('--weights begins a run and --resume goes on with one', {
      fix: 'leave one of them out',
    });
  }
  const found = findCheckpoint(flags, given);
  const { path, checkpoint } = found;
  const settings = resumedSettings(checkpoint.settings, given, path);
  return plan(settings, flags.dir ?? dirname(path), found);
}

/** Everything is checked and read before the first file is written. */
async function trainByFlags(flags: TrainFlags, context: CliContext): Promise<void> {
  const { seeds } = flags;
  const several = seeds && planSeedRuns({ ...flags, seeds }, givenSettings(flags));
  const single = several === undefined ? planRun(flags) : undefined;
  const { settings } = single ?? several!.plans[0];
  live.begin(`reading ${settings.dataset}`);
  const dataset = await openNamedDataset(settings.dataset, flags.dataPath);
  const model = models[settings.model].build(dataset.train.classes.length);
  const given =
    flags.weights === undefined
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
      ...(given && { weights: given.weights }),
      ...(found && { resume: found }),
      ...(flags.saveEverySteps && { saveEverySteps: flags.saveEverySteps }),
      ...(flags.keep && { keep: flags.keep }),
      ...(flags.steps && { steps: flags.steps }),
    };
    live.begin('the initial weights');
    const { ending, ...made } = await followRun(run, flags.logSteps, context);
    if (ending === 'finished' && report !== undefined) {
      writeRunReport(report, { ...made, ...(flags.threads && { threads: flags.threads }) });
      context.print(`report in ${report}`);
    }
    return ending;
  };
  const release = onInterrupt(stop, () =>
    warn('stopping after this step, with a checkpoint; once more stops at once'),
  );
  try {
    if (several === undefined) await trainOne(single!);
    else await trainSeeds(several, trainOne, context);
  } finally {
    release();
  }
}
