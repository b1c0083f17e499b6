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
import { agree } from '../../distributed/agree.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { InputError, UsageError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { models } from '../../nn/models/index.ts';
import { initPlan, type Module, type Network } from '../../nn/module.ts';
import type { Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { restoreGenerator } from '../../torch/generator.ts';
import type { Seed } from '../../torch/seed.ts';
import { refreshPrograms } from '../averaging/refreshBatchNorm.ts';
import { compileAverage, emptyAverage, type SwaAverage } from '../averaging/swaAverage.ts';
import type { ByBatchSize } from '../byBatchSize.ts';
import {
  type Checkpoint,
  type Closing,
  isSettled,
  positionOfRank,
} from '../checkpoint/checkpoint.ts';
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
import { assist, lead, type Team } from './team.ts';

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
  /** The directory that the data set was read from, noted for resuming the run. */
  readonly dataPath?: string;
  /** The ranks that share the run, of which this process is one; their `settings` say how. */
  readonly comm?: Communicator;
  /** Told the number of the signal by which any of the ranks was asked to stop, and which. */
  readonly onStop?: (signal: number, rank: number) => void;
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
  /** The other ranks, where there are any. */
  readonly team: Team | undefined;
}

/** What to tell about a run that cannot go on. */
export const lastGood = (saved: Session['saved']): { readonly fix?: string } =>
  saved === undefined ? {} : { fix: `the last good checkpoint is ${saved.path}` };

/** Steps made since the run began. */
export const stepsDone = ({ stream }: Pick<Session, 'stream'>): number =>
  stream.epoch * stepsPerEpoch(stream.settings) + stream.step;

/** What the training stream of a rank draws from, for these settings. */
export const streamSettings = (
  { model: name, batchSize, numWorkers, dropout, distributed, seed }: TrainingSettings,
  model: Module,
  dataset: Dataset,
  rank = 0,
): StreamSettings => ({
  ...(distributed && { sampler: { rank, size: distributed.ranks, seed: BigInt(seed) } }),
  dataset: dataset.train,
  preparation: models[name].preparation,
  batchSize,
  workers: numWorkers,
  // Without dropout the network has no such layer: nothing is drawn and no mask is fed.
  dropout: dropout
    ? { p: model.dropouts[0]?.p ?? 0, widths: model.dropouts.map(({ width }) => width) }
    : { p: 0, widths: [] },
});

/** What a rank makes its steps of, but for where it is. */
const stepping = (
  { settings, model, signal, onStop, backend }: TrainingRun,
  comm: Communicator,
  { compile }: Backend,
) => ({
  ...stepSettings(settings),
  reduction: settings.distributed?.reduce ?? 'fast',
  comm,
  // Every step uploads what rank 0 gave, which its state holds: only programs are to be released at the end.
  backend: { ...backend, compile },
  model,
  ...(signal && { signal }),
  ...(onStop && { onStop }),
});

const stepSettings = (settings: TrainingSettings) => ({
  optimizer: optimizerOf(settings),
  dropout: settings.dropout,
});

/** The training step of a run, for one batch size, as it is watched by nobody. */
export const stepProgram = ({ model, settings }: TrainingRun, batch: number): Program =>
  trainingStep(model, { ...stepSettings(settings), images: [batch, ...model.image] });

/** Where the generator of a rank begins. */
const seedOf = ({ seed, distributed }: TrainingSettings, rank: number): Seed =>
  distributed?.rankSeeds === 'offset' ? String(BigInt(seed) + BigInt(rank)) : seed;

/** Places a new run at its beginning. */
function begin({ settings, model, dataset, weights, comm }: TrainingRun) {
  const rank = comm?.rank ?? 0;
  const broken = weights && firstNonFinite(weights);
  if (broken !== undefined) {
    throw new InputError(`${broken} holds NaN or infinity`, {
      where: 'the initial weights',
      fix: 'start with others',
    });
  }
  const opened = openTrainingStream({
    ...streamSettings(settings, model, dataset, rank),
    seed: seedOf(settings, rank),
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
  const { settings, model, dataset, comm } = run;
  const rank = comm?.rank ?? 0;
  const position = positionOfRank(checkpoint, rank, path);
  const { weights, momenta, sums, rows } = checkpoint;
  const optimizer = optimizerOf(settings);
  const state = new Map(initialTrainingState(model, modelWeights(model, weights, path), optimizer));
  for (const name of state.keys()) {
    const saved = weights.get(name) ?? momenta.get(name);
    if (saved === undefined) throw new InputError(`holds no ${name}`, { where: path });
    state.set(name, saved);
  }
  const streaming = streamSettings(settings, model, dataset, rank);
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

/** Where a rank begins, or goes on. */
export const placeOf = (run: TrainingRun) =>
  run.resume === undefined ? begin(run) : goOn(run, run.resume);

/**
 * Checks what was asked for, then puts everything in its place; nothing is written before all fits. Among several
 * ranks this is what rank 0 does while the others call `assist`.
 */
export async function openSession(run: TrainingRun): Promise<Session> {
  const holder = openHolder();
  const { comm } = run;
  try {
    if (comm === undefined) return await placed(run, holder);
    const session = await agree(comm, () => placed(run, holder));
    const { stream, state } = session;
    const backend = holder.on(run.backend);
    return { ...session, team: await lead({ ...stepping(run, comm, backend), stream, state }) };
  } catch (error) {
    await holder.release();
    throw error;
  }
}

/**
 * What a rank from 1 on does of a run that rank 0 trains: it makes the steps that rank 0 says, writes nothing, and
 * returns when the run ends. Throws as `train` does.
 */
export async function assistTraining(
  run: TrainingRun & { readonly comm: Communicator },
): Promise<void> {
  const { comm } = run;
  const holder = openHolder();
  try {
    const backend = holder.on(run.backend);
    const member = await agree(comm, async () => {
      const { stream, state } = placeOf(run);
      return { ...stepping(run, comm, backend), stream, state: await backend.upload(state) };
    });
    await assist(member);
  } finally {
    await holder.release();
  }
}

async function placed(run: TrainingRun, { on, release }: Holder): Promise<Session> {
  const { settings, model, dataset, resume } = run;
  const backend = on(run.backend);
  const data = digestDataset(dataset);
  if (resume === undefined) checkUnused(run.directory);
  else checkSameData(data, resume);
  const { stream, state: values, sums, rows } = placeOf(run);
  const average = await placedAverage(run, backend);
  prepareDirectory(run.directory);
  if (run.dataPath !== undefined) noteDataPath(run.directory, settings.dataset, run.dataPath);
  const state = await backend.upload(values);
  const session: Session = {
    release,
    run,
    data,
    stream,
    state,
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
    team: undefined,
  };
  if (resume !== undefined) {
    const settled = isSettled(resume.checkpoint);
    session.saved = { path: resume.path, step: stepsDone(session), settled };
  }
  return session;
}
