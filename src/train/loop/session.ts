import { mkdirSync } from 'node:fs';
import type { Backend, DeviceState, Executable } from '../../backends/backend.ts';
import { type Holder, openHolder } from '../../backends/holding.ts';
import {
  openTrainingStream,
  resumeTrainingStream,
  type StreamSettings,
  stepsPerEpoch,
  type TrainingStream,
} from '../../data/trainingStream.ts';
import { InputError, UsageError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { models } from '../../nn/models/index.ts';
import { initPlan, type Module, type Network } from '../../nn/module.ts';
import type { Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { restoreGenerator } from '../../torch/generator.ts';
import { refreshPrograms } from '../averaging/refreshBatchNorm.ts';
import { compileAverage, emptyAverage, type SwaAverage } from '../averaging/swaAverage.ts';
import type { ByBatchSize } from '../byBatchSize.ts';
import { type Checkpoint, type Closing, isSettled } from '../checkpoint/checkpoint.ts';
import { removeLeftovers } from '../checkpoint/checkpointFiles.ts';
import { noteDataPath } from '../checkpoint/dataPath.ts';
import { checkUnused } from '../checkpoint/runDirectory.ts';
import type { Snapshot } from '../checkpoint/snapshot.ts';
import { type Dataset, type DatasetDigest, digestDataset } from '../dataset.ts';
import { evaluationPrograms } from '../evaluation/evaluate.ts';
import { firstNonFinite } from '../health/finite.ts';
import { type EpochSums, type LogRow, noSums } from '../logRow.ts';
import { optimizerOf, type TrainingSettings } from '../settings/trainingSettings.ts';
import { modelWeights } from '../stateDict.ts';
import { initialTrainingState } from '../trainingState.ts';
import { stepPrograms } from './stepper.ts';

/** What `train` is asked to do. */
export interface TrainingRun {
  readonly settings: TrainingSettings;
  /** The model that `settings` names; tests put a narrow one in its place. */
  readonly model: Network;
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** Where checkpoints and final weights go; made when missing. */
  readonly directory: string;
  /** Begin with these weights instead of those that the seed draws (which are drawn all the same). */
  readonly weights?: TensorMap;
  /** Go on from here. */
  readonly resume?: { readonly path: string; readonly checkpoint: Checkpoint };
  /** Save after every so many epochs; also at the beginning and at the end. */
  readonly saveFreq: number;
  /** Save after every so many steps, too. */
  readonly saveEverySteps?: number;
  /** Keep only so many checkpoints; see `pruneCheckpoints`. */
  readonly keep?: number;
  /** Stop when the run has made so many steps in all. */
  readonly steps?: number;
  /** Stop after the current step, or amid an evaluation, when it is aborted. */
  readonly signal?: AbortSignal;
  /** Aborted when the directory is no longer this run's own: nothing more is then written. */
  readonly claim?: AbortSignal;
  /** The directory that the data set was read from, noted for whoever resumes the run. */
  readonly dataPath?: string;
}

/** A run under way: what it carries from step to step, and the programs that move it. */
export interface Session {
  /** Of programs and device memory. */
  readonly release: Holder['release'];
  readonly run: TrainingRun;
  readonly data: DatasetDigest;
  readonly stream: TrainingStream;
  /** Weights, momenta and buffers on the device. */
  readonly state: DeviceState;
  /** The SWA model; empty until the first weights join, absent without SWA. */
  readonly average: SwaAverage | undefined;
  readonly programs: {
    readonly step: ByBatchSize;
    readonly evaluation: ByBatchSize;
    readonly refresh: ByBatchSize;
    readonly average: Executable | undefined;
  };
  /** Of the epoch under way. */
  sums: EpochSums;
  readonly rows: LogRow[];
  /** What is done of the end of the epoch before; undefined amid an epoch. */
  closing: Closing | undefined;
  /** The last checkpoint that is whole, and the step it was written before; see `isSettled`. */
  saved: { readonly path: string; readonly step: number; readonly settled: boolean } | undefined;
  /** What a step that goes wrong is reached again from. */
  snapshot: Snapshot | undefined;
}

/** What to tell about a run that cannot go on. */
export const lastGood = (saved: Session['saved']): { readonly fix?: string } =>
  saved === undefined ? {} : { fix: `the last good checkpoint is ${saved.path}` };

/** Steps made since the run began. */
export const stepsDone = ({ stream }: Pick<Session, 'stream'>): number =>
  stream.epoch * stepsPerEpoch(stream.settings) + stream.step;

/** What the training stream draws from, for these settings. */
export const streamSettings = (
  { model: name, batchSize, numWorkers, dropout }: TrainingSettings,
  model: Module,
  dataset: Dataset,
): StreamSettings => ({
  dataset: dataset.train,
  preparation: models[name].preparation,
  batchSize,
  workers: numWorkers,
  // Without dropout the network has no such layer: nothing is drawn and no mask is fed.
  dropout: dropout
    ? { p: model.dropouts[0]?.p ?? 0, widths: model.dropouts.map(({ width }) => width) }
    : { p: 0, widths: [] },
});

const stepSettings = (settings: TrainingSettings) => ({
  optimizer: optimizerOf(settings),
  dropout: settings.dropout,
});

/** The training step of a run, for one batch size, as it is watched by nobody. */
export const stepProgram = ({ model, settings }: TrainingRun, batch: number): Program =>
  trainingStep(model, { ...stepSettings(settings), images: [batch, ...model.image] });

/** Places a new run at its beginning. */
function begin({ settings, model, dataset, weights }: TrainingRun) {
  const broken = weights && firstNonFinite(weights);
  if (broken !== undefined) {
    throw new InputError(`${broken} holds NaN or infinity`, {
      where: 'the weights to begin with',
      fix: 'begin with others',
    });
  }
  const opened = openTrainingStream({
    ...streamSettings(settings, model, dataset),
    seed: settings.seed,
    plan: initPlan(model),
    secondModel: settings.swa,
  });
  return {
    stream: opened.stream,
    state: initialTrainingState(model, weights ?? opened.weights, optimizerOf(settings)),
    sums: noSums,
    rows: [],
  };
}

/** Places a run where a checkpoint was written. */
function goOn(run: TrainingRun, { path, checkpoint }: NonNullable<TrainingRun['resume']>) {
  const { settings, model, dataset } = run;
  const { position, weights, momenta, sums, rows } = checkpoint;
  const optimizer = optimizerOf(settings);
  const state = new Map(initialTrainingState(model, modelWeights(model, weights, path), optimizer));
  for (const name of state.keys()) {
    const saved = weights.get(name) ?? momenta.get(name);
    if (saved === undefined) throw new InputError(`holds no ${name}`, { where: path });
    state.set(name, saved);
  }
  const streaming = streamSettings(settings, model, dataset);
  return {
    stream: resumeTrainingStream(streaming, position, path),
    state,
    sums,
    rows: [...rows],
  };
}

function checkSameData(
  data: DatasetDigest,
  { path, checkpoint }: NonNullable<TrainingRun['resume']>,
) {
  for (const split of ['train', 'test'] as const) {
    if (data[split] === checkpoint.data[split]) continue;
    throw new UsageError(
      `the run began with other ${split === 'train' ? 'training' : 'test'} images`,
      {
        where: path,
        fix: 'give the --data-path it began with',
      },
    );
  }
}

function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw fileError(directory, error, 'give another --dir');
  }
  removeLeftovers(directory);
}

async function placedAverage(
  { settings, model, resume }: TrainingRun,
  backend: Backend,
): Promise<SwaAverage | undefined> {
  if (!settings.swa) return undefined;
  const { average: saved, refreshFrom } = resume?.checkpoint ?? {};
  if (resume === undefined || saved === undefined) return emptyAverage(backend, model);
  return {
    averaged: resume.checkpoint.averaged,
    state: await backend.upload(modelWeights(model, saved, resume.path)),
    refreshFrom: refreshFrom && restoreGenerator(refreshFrom, resume.path),
  };
}

/** Checks what was asked for, then puts everything in its place; nothing is written before all fits. */
export async function openSession(run: TrainingRun): Promise<Session> {
  const holder = openHolder();
  try {
    return await placed(run, holder);
  } catch (error) {
    await holder.release();
    throw error;
  }
}

async function placed(run: TrainingRun, { on, release }: Holder): Promise<Session> {
  const { settings, model, dataset, resume } = run;
  const backend = on(run.backend);
  const data = digestDataset(dataset);
  if (resume === undefined) checkUnused(run.directory);
  else checkSameData(data, resume);
  const { stream, state, sums, rows } = resume === undefined ? begin(run) : goOn(run, resume);
  const average = await placedAverage(run, backend);
  prepareDirectory(run.directory);
  if (run.dataPath !== undefined) noteDataPath(run.directory, settings.dataset, run.dataPath);
  const session: Session = {
    release,
    run,
    data,
    stream,
    state: await backend.upload(state),
    average,
    programs: {
      step: stepPrograms(backend, model, stepSettings(settings)),
      evaluation: evaluationPrograms(backend, model),
      refresh: refreshPrograms(backend, model),
      average: settings.swa ? await compileAverage(backend, model) : undefined,
    },
    sums,
    rows,
    closing: resume?.checkpoint.closing && { ...resume.checkpoint.closing },
    saved: undefined,
    snapshot: undefined,
  };
  if (resume !== undefined) {
    const settled = isSettled(resume.checkpoint);
    session.saved = { path: resume.path, step: stepsDone(session), settled };
  }
  return session;
}
