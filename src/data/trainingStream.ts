import { UsageError } from '../errors.ts';
import type { Preparation } from '../nn/models/preparation.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  batchCount,
  type EpochPlan,
  type EpochSeeds,
  planEpoch,
  startEpoch,
} from '../torch/dataLoader.ts';
import {
  type DistributedSampler,
  distributedOrder,
  samplesOfRank,
} from '../torch/distributedSampler.ts';
import { dropoutMask } from '../torch/dropout.ts';
import {
  generatorState,
  manualSeed,
  restoreGenerator,
  type TorchGenerator,
} from '../torch/generator.ts';
import { type InitPlan, initialise, skipInitialisation } from '../torch/initialise.ts';
import type { Seed } from '../torch/seed.ts';
import type { ImageSet } from './cifar.ts';
import { type Batch, trainingBatch } from './loader.ts';

/*
 * Everything random in the SWA authors' train.py, in the order it is drawn from the one generator:
 *
 *   manual_seed ─ model ─ second model, with --swa
 *   every epoch: seeds of the pass ─ every step: augmentation (without workers), dropout
 *   after some epochs: one evaluation pass a model that is evaluated, see `evaluationPassDraws`
 *
 * An evaluation pass is drawn by whoever runs it, between the last step of an epoch and the first of
 * the next.
 */

/** What the steps of a run depend on besides the generator. */
export interface StreamSettings {
  readonly dataset: ImageSet;
  /** How the model wants its images. */
  readonly preparation: Preparation;
  readonly batchSize: number;
  /** `num_workers` of the training loader. */
  readonly workers: number;
  readonly dropout: {
    readonly p: number;
    /** The features that each dropout layer sees, in forward order. */
    readonly widths: readonly number[];
  };
  /** Which part of every epoch is this rank's, where several share it; all of it where none is said. */
  readonly sampler?: DistributedSampler;
}

export interface OpeningSettings extends StreamSettings {
  readonly seed: Seed;
  readonly plan: InitPlan;
  /** Whether the script builds a second model of the same plan to average into. */
  readonly secondModel: boolean;
}

/** A run's place on the generator; `nextStep` moves it. */
export interface TrainingStream {
  readonly settings: StreamSettings;
  readonly generator: TorchGenerator;
  /** The epoch of the next step, from 0. */
  epoch: number;
  /** The next step within its epoch, from 0. */
  step: number;
  /** The pass under way; undefined between epochs. */
  pass: EpochPlan | undefined;
}

/** A stream's place as a checkpoint keeps it. */
export interface StreamPosition {
  readonly epoch: number;
  readonly step: number;
  /** The pass under way; absent between epochs. */
  readonly seeds?: EpochSeeds;
  /** The main generator's `get_rng_state`. */
  readonly generator: Uint8Array;
}

export interface TrainingStep extends Batch {
  readonly epoch: number;
  readonly step: number;
  /** Whether no step of this epoch follows. */
  readonly last: boolean;
  /** For each dropout layer [batch, width]: 1 kept, 0 dropped. */
  readonly masks: readonly Uint8Array[];
}

/** Samples that a rank sees in one epoch. */
const samplesPerEpoch = ({ dataset, sampler }: StreamSettings): number =>
  sampler === undefined ? dataset.count : samplesOfRank(dataset.count, sampler);

/** Samples that all ranks see in one epoch, those that fill up the last ranks' parts included. */
export const samplesOfAll = (settings: StreamSettings): number =>
  samplesPerEpoch(settings) * (settings.sampler?.size ?? 1);

/** Steps in one epoch. */
export const stepsPerEpoch = (settings: StreamSettings): number =>
  batchCount(samplesPerEpoch(settings), settings.batchSize);

/** The same for whoever sees the whole set alone. */
export const ofWholeSet = ({ sampler: _, ...settings }: StreamSettings): StreamSettings => settings;

function checkSettings({ dataset, batchSize, workers, dropout }: StreamSettings): void {
  if (dataset.count === 0) throw new UsageError('the training set has no images');
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new UsageError(`batch size ${batchSize}`, { fix: 'give a whole number from 1 on' });
  }
  if (!Number.isInteger(workers) || workers < 0) {
    throw new UsageError(`${workers} workers`, { fix: 'give a whole number from 0 on' });
  }
  if (!(dropout.p >= 0 && dropout.p <= 1)) {
    throw new UsageError(`dropout probability ${dropout.p}`, { fix: 'give a number from 0 to 1' });
  }
}

/** A run's beginning: the model's parameters, and the stream of its training steps. */
export function openTrainingStream(settings: OpeningSettings): {
  readonly weights: Map<string, Tensor<'float32'>>;
  readonly stream: TrainingStream;
} {
  checkSettings(settings);
  const generator = manualSeed(BigInt(settings.seed));
  const weights = initialise(settings.plan, generator);
  if (settings.secondModel) skipInitialisation(settings.plan, generator);
  return { weights, stream: { settings, generator, epoch: 0, step: 0, pass: undefined } };
}

const loaderOptions = ({ dataset, workers, sampler }: StreamSettings) => ({
  size: dataset.count,
  // A distributed sampler shuffles by a generator of its own.
  shuffle: sampler === undefined,
  workers,
});

/** The pass that a loader made, in the order of this rank's sampler if it has one. */
const sampled = (
  pass: EpochPlan,
  { dataset, sampler }: StreamSettings,
  epoch: number,
): EpochPlan =>
  sampler === undefined
    ? pass
    : { ...pass, order: distributedOrder(dataset.count, sampler, epoch) };

/** The stream's next step: begins an epoch where one is due, draws the batch, then the masks. */
export function nextStep(stream: TrainingStream): TrainingStep {
  const { settings, generator, epoch, step } = stream;
  const pass =
    stream.pass ?? sampled(startEpoch(generator, loaderOptions(settings)), settings, epoch);
  const { dataset, batchSize, preparation } = settings;
  const batch = trainingBatch(dataset, pass, step, batchSize, generator, preparation);
  const { p, widths } = settings.dropout;
  const masks = widths.map((width) => dropoutMask(generator, p, batch.order.length * width));
  const last = step + 1 === stepsPerEpoch(settings);
  stream.pass = last ? undefined : pass;
  stream.step = last ? 0 : step + 1;
  if (last) stream.epoch = epoch + 1;
  return { ...batch, epoch, step, last, masks };
}

/** The steps from here on, without end; each is drawn when it is asked for. */
export function* trainingSteps(stream: TrainingStream): Generator<TrainingStep, never> {
  while (true) yield nextStep(stream);
}

/** Where the stream is: what comes next is the same for every stream resumed from here. */
export function streamPosition({ epoch, step, pass, generator }: TrainingStream): StreamPosition {
  const state = generatorState(generator);
  if (pass === undefined) return { epoch, step, generator: state };
  const { baseSeed, samplerSeed } = pass;
  const seeds = samplerSeed === undefined ? { baseSeed } : { baseSeed, samplerSeed };
  return { epoch, step, seeds, generator: state };
}

/**
 * The stream at a position that `streamPosition` gave for the same settings. Throws InputError,
 * naming `where`, when the generator's state is damaged, and UsageError when the step is outside an
 * epoch of these settings.
 */
export function resumeTrainingStream(
  settings: StreamSettings,
  { epoch, step, seeds, generator }: StreamPosition,
  where?: string,
): TrainingStream {
  checkSettings(settings);
  const steps = stepsPerEpoch(settings);
  const fits = seeds === undefined ? step === 0 : step >= 1 && step < steps;
  if (!Number.isInteger(epoch) || epoch < 0 || !Number.isInteger(step) || !fits) {
    throw new UsageError(`no step ${step} to resume in epoch ${epoch} of ${steps} steps`, {
      ...(where === undefined ? {} : { where }),
      fix: 'resume with the data set and batch size that the run began with',
    });
  }
  return {
    settings,
    generator: restoreGenerator(generator, where),
    epoch,
    step,
    pass: seeds && sampled(planEpoch(seeds, loaderOptions(settings)), settings, epoch),
  };
}
