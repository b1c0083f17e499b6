import { dirname, join } from 'node:path';
import { openBackend } from '../../backends/choose.ts';
import { UsageError } from '../../errors.ts';
import { readWeights } from '../../io/weights.ts';
import { modelName, models } from '../../nn/models/index.ts';
import { readCheckpoint } from '../../train/checkpoint.ts';
import { type FoundCheckpoint, newestCheckpoint } from '../../train/checkpointFiles.ts';
import { datasetName, openDataset } from '../../train/dataset.ts';
import type { TrainingEvent } from '../../train/events.ts';
import { freshDirectory, lastDirectory } from '../../train/runDirectory.ts';
import type { TrainingRun } from '../../train/session.ts';
import { modelWeights } from '../../train/stateDict.ts';
import { train as trainRun } from '../../train/train.ts';
import {
  type GivenSettings,
  profileSettings,
  profiles,
  recipe,
  resumedSettings,
  settingsFrom,
  type TrainingSettings,
} from '../../train/trainingSettings.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { naturalNumber, nonNegativeNumber, positiveInteger, positiveNumber } from '../flags.ts';
import { openProgress } from '../progress.ts';
import { openStepLog, type StepLogFile } from '../stepLogFile.ts';
import { openTrainLog, type TrainLogFile } from '../trainLogFile.ts';

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
  readonly backend: string;
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
    .option('--dir <dir>', 'where checkpoints and train_log.txt go (checkpoints/<name of the run>)')
    .option('--dataset <name>', `cifar10 or synthetic, which comes with the package (${r.dataset})`)
    .option('--data-path <dir>', 'directory that holds cifar-10-batches-bin/')
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
    .option('--seed <n>', `PyTorch's manual_seed (${r.seed})`, naturalNumber)
    .option(
      '--profile <name>',
      `${Object.keys(profiles).join(' or ')}: lr, weight decay, dropout (swa)`,
    )
    .option('--weights <file>', 'begin with these weights (.pt, .safetensors, .npz)')
    .option('--steps <n>', 'stop after n steps in all', positiveInteger)
    .option('--log-steps <file>', 'write step,lr,loss of every step as CSV')
    .option('--backend <name>', 'ort or oracle', 'ort')
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
  process.stderr.write(`swa-align: ${line}\n`);
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

interface Plan {
  readonly settings: TrainingSettings;
  readonly directory: string;
  readonly found?: FoundCheckpoint;
}

function planRun(flags: TrainFlags): Plan {
  const given = givenSettings(flags);
  if (flags.resume === undefined) {
    const settings = settingsFrom(given);
    return { settings, directory: flags.dir ?? freshDirectory(settings) };
  }
  if (flags.weights !== undefined) {
    throw new UsageError('--weights begins a run and --resume goes on with one', {
      fix: 'leave one of them out',
    });
  }
  const found = findCheckpoint(flags, given);
  const { path, checkpoint } = found;
  const settings = resumedSettings(checkpoint.settings, given, path);
  if (checkpoint.backend !== flags.backend) {
    warn(
      `${path}: the run began on ${checkpoint.backend} and goes on, otherwise rounded, on ${flags.backend}`,
    );
  }
  return { settings, directory: flags.dir ?? dirname(path), found };
}

/** Everything is checked and read before the first file is written. */
async function trainByFlags(flags: TrainFlags, context: CliContext): Promise<void> {
  const { settings, directory, found } = planRun(flags);
  const dataset = openDataset(settings.dataset, flags.dataPath);
  const model = models[settings.model].build(dataset.train.classes.length);
  const weights =
    flags.weights === undefined
      ? undefined
      : modelWeights(model, readWeights(flags.weights), flags.weights);
  const backend = await openBackend(flags.backend, flags);
  const stop = new AbortController();
  const run: TrainingRun = {
    settings,
    model,
    dataset,
    backend,
    directory,
    saveFreq: flags.saveFreq,
    signal: stop.signal,
    ...(weights && { weights }),
    ...(found && { resume: found }),
    ...(flags.saveEverySteps && { saveEverySteps: flags.saveEverySteps }),
    ...(flags.keep && { keep: flags.keep }),
    ...(flags.steps && { steps: flags.steps }),
  };
  const release = onInterrupt(stop);
  try {
    await follow(run, flags.logSteps, context);
  } finally {
    release();
  }
}

/** The first Ctrl-C (or SIGTERM) asks the run to stop after its step; a second one ends the process. */
function onInterrupt(stop: AbortController): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const asked = (): void => {
    release();
    warn('stopping after this step, with a checkpoint; once more stops at once');
    stop.abort();
  };
  const release = (): void => {
    for (const signal of signals) process.off(signal, asked);
  };
  for (const signal of signals) process.on(signal, asked);
  return release;
}

/** Turns the run's events into the log, the CSV, and lines for whoever watches. */
async function follow(
  run: TrainingRun,
  csv: string | undefined,
  context: CliContext,
): Promise<void> {
  const progress = openProgress(process.stderr);
  let log: TrainLogFile | undefined;
  let steps: StepLogFile | undefined;
  let saved = '';
  for await (const event of trainRun(run)) {
    progress.show(event);
    switch (event.kind) {
      case 'started':
        context.print(headline(run));
        if (csv !== undefined) steps = openStepLog(csv, event.step);
        log = openTrainLog(join(run.directory, 'train_log.txt'), run.settings.swa, event.rows);
        break;
      case 'step':
        steps?.add(event.step, event.lr, event.loss);
        break;
      case 'epoch':
        progress.clear();
        for (const line of log?.add(event.row, event.seconds) ?? []) context.print(line);
        break;
      case 'saved':
        if (event.what === 'checkpoint') saved = event.paths[0];
        break;
      case 'ended':
        progress.clear();
        for (const line of endOf(event, run, saved)) context.print(line);
        // Not what was asked for, so a script that goes on after success must not go on.
        if (event.ending === 'interrupted') context.fail();
    }
  }
}

const headline = ({ settings, backend, directory, resume }: TrainingRun): string => {
  const { title } = models[settings.model];
  const method = settings.swa ? 'SWA' : 'SGD';
  const from = resume === undefined ? '' : `, from ${resume.path}`;
  return `${title} on ${settings.dataset} by ${method}: ${backend.description}; ${directory}${from}`;
};

function endOf(
  { ending, step }: Extract<TrainingEvent, { kind: 'ended' }>,
  run: TrainingRun,
  saved: string,
): string[] {
  const where = saved === '' ? (run.resume?.path ?? run.directory) : saved;
  if (ending === 'finished') return [`finished after ${step} steps; ${run.directory}`];
  return [`stopped after ${step} steps; go on with --resume ${where}`];
}
