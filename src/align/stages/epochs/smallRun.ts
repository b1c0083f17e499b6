import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageSet, imageBytes } from '../../../data/cifar.ts';
import { InputError } from '../../../errors.ts';
import { sha256Hex } from '../../../io/sha256/sha256.ts';
import type { WeightKind } from '../../../io/torch/weightSets.ts';
import { type ModelName, modelName } from '../../../nn/models/index.ts';
import { preResNet } from '../../../nn/models/preResNet.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import type { Network } from '../../../nn/module.ts';
import { bytesOf, type Tensor, type TensorMap, toFloat64 } from '../../../tensor/tensor.ts';
import { type Checkpoint, readCheckpoint } from '../../../train/checkpoint/checkpoint.ts';
import { listCheckpoints, newestCheckpoint } from '../../../train/checkpoint/checkpointFiles.ts';
import { trainedModelOf } from '../../../train/checkpoint/trainedModel.ts';
import { classCount, openDataset } from '../../../train/dataset.ts';
import type { Evaluation } from '../../../train/evaluation/evaluate.ts';
import { evaluateTrained } from '../../../train/evaluation/evaluateTrained.ts';
import type { LogRow } from '../../../train/logRow.ts';
import type { TrainingRun } from '../../../train/loop/session.ts';
import { train } from '../../../train/loop/train.ts';
import {
  type DatasetName,
  recipe,
  type TrainingSettings,
} from '../../../train/settings/trainingSettings.ts';
import type { Manifest } from '../../reference/manifest.ts';
import type { Reference } from '../../reference/reference.ts';
import { type FedBatch, fedBatch } from '../fed.ts';
import type { StageContext } from '../stage.ts';
import { watchedBackend } from '../watchedBackend.ts';

export type EpochsSection = NonNullable<Manifest['stages']['epochs']>;

type StepDigests = EpochsSection['steps'][number];
type BatchDigests = EpochsSection['evaluation'][number];

/** What a program of one step was really fed. */
export interface FedStep {
  /** How many images. */
  readonly images: number;
  readonly lr: number;
  readonly digests: StepDigests;
  readonly batch: FedBatch;
}

/** A batch of test images. */
export interface FedTest extends BatchDigests {
  readonly batch: FedBatch;
}

/** A batch that refreshed batch norm. */
export interface FedRefresh {
  /** Of its images. */
  readonly digest: string;
  readonly batch: FedBatch;
}

/** What the command `eval` says of the run's last checkpoint, and which batches it looked at; or why it refuses it. */
export type ObservedEval =
  | { readonly found: Evaluation; readonly fed: readonly FedTest[] }
  | { readonly problem: string };

/** A run as somebody saw it who only looks at what goes into the programs and what comes out. */
export interface ObservedRun {
  readonly fed: readonly FedStep[];
  /** Loss of each step. */
  readonly losses: readonly number[];
  /** The batches of all passes over the test images. */
  readonly evaluated: readonly FedTest[];
  /** Each pass that refreshed batch norm, by epoch. */
  readonly refreshes: readonly (readonly FedRefresh[])[];
  readonly rows: readonly LogRow[];
  /** By epochs done, the beginning included. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  /** The average in the batches of the run, the trained weights in those that are asked for. */
  readonly evals: { readonly [K in WeightKind]: ObservedEval };
}

const digest = (t: Tensor): string => sha256Hex(bytesOf(t));

/** A mask is fed as floats of 0 and 1, and recorded as bytes. */
const maskDigest = (t: Tensor): string => sha256Hex(Uint8Array.from(toFloat64(t)));

const batchDigests = (inputs: TensorMap): BatchDigests => ({
  images: digest(inputs.get('images')!),
  labels: digest(inputs.get('labels')!),
});

function fedStep(inputs: TensorMap): FedStep {
  const masks = (['mask0', 'mask1'] as const).flatMap((name) => {
    const mask = inputs.get(name);
    return mask === undefined ? [] : [[name, maskDigest(mask)]];
  });
  return {
    images: inputs.get('images')!.shape[0],
    lr: toFloat64(inputs.get('lr')!)[0],
    digests: { ...batchDigests(inputs), ...Object.fromEntries(masks) },
    batch: fedBatch(inputs),
  };
}

const firstOf = (set: ImageSet, count: number): ImageSet => ({
  ...set,
  images: set.images.subarray(0, count * imageBytes),
  labels: set.labels.subarray(0, count),
  count,
});

const settingsOf = ({ settings: s }: EpochsSection, model: ModelName): TrainingSettings => ({
  ...recipe,
  model,
  dataset: s.dataset,
  batchSize: s.batch,
  numWorkers: s.workers,
  epochs: s.epochs,
  evalFreq: s.eval_freq,
  lrInit: s.lr_init,
  momentum: s.momentum,
  wd: s.weight_decay,
  swa: true,
  swaStart: s.swa_start,
  swaLr: s.swa_lr,
  swaCEpochs: s.swa_c_epochs,
  seed: s.seed,
});

/** The models that a small one can stand for. */
const narrowed: {
  readonly [M in ModelName]?: (classes: number, s: EpochsSection['settings']) => Network;
} = {
  vgg16bn: (classes, { narrow }) => vgg({ depth: 16, batchNorm: true, classes, narrow }),
  preresnet110: (classes, { narrow, depth = 110 }) => preResNet({ depth, classes, narrow }),
};

/** The model of the stage: every width divided, and less deep where the reference says so. */
export function smallModel(section: EpochsSection, model: ModelName, classes: number): Network {
  const build = narrowed[model];
  if (build !== undefined) return build(classes, section.settings);
  throw new InputError(`holds a small run of ${model}, which we have in full width only`, {
    fix: `record one of ${Object.keys(narrowed).join(', ')}`,
  });
}

/** The first images of the reference's own set. */
function smallDataset(reference: Reference, { settings: s }: EpochsSection) {
  // The synthetic set is laid out as CIFAR-10 is.
  const layout = s.dataset === 'synthetic' ? 'cifar10' : s.dataset;
  const { train: all, test } = openDataset(layout, reference.syntheticDirectory());
  return { train: firstOf(all, s.images), test: firstOf(test, s.test_images) };
}

/** What programs were fed, in turn. */
function watch() {
  const seen = {
    fed: [] as FedStep[],
    evaluated: [] as FedTest[],
    refreshes: [] as FedRefresh[][],
  };
  let last = '';
  return {
    seen,
    see: (name: string, inputs: TensorMap): void => {
      if (name === 'training step') seen.fed.push(fedStep(inputs));
      if (name === 'evaluation') {
        seen.evaluated.push({ ...batchDigests(inputs), batch: fedBatch(inputs) });
      }
      if (name === 'batch norm refresh') {
        if (last !== name) seen.refreshes.push([]);
        seen.refreshes[seen.refreshes.length - 1].push({
          digest: digest(inputs.get('images')!),
          batch: fedBatch(inputs),
        });
      }
      last = name;
    },
  };
}

/**
 * Trains the small network from beginning to end, as `npm run train` does, in a directory of its own that is
 * gone afterwards, and evaluates what it saved as `eval` does. With `stopAfter` the run is dropped after so many
 * steps and taken up again from its newest checkpoint; what is told is then of the second part only.
 */
export async function smallRun(
  { backend, reference }: StageContext,
  section: EpochsSection,
  stopAfter?: number,
): Promise<ObservedRun> {
  const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
  const name = modelName(reference.manifest.model);
  const settings = settingsOf(section, name);
  let watching = watch();
  let losses: number[] = [];
  const run: TrainingRun = {
    settings,
    model: smallModel(section, name, classCount(settings.dataset)),
    dataset: smallDataset(reference, section),
    backend: watchedBackend(backend, (program, inputs) => watching.see(program.name, inputs)),
    directory,
    saveFreq: 1,
  };
  let rows: readonly LogRow[] = [];
  const follow = async (part: TrainingRun): Promise<void> => {
    const found: LogRow[] = [];
    for await (const event of train(part)) {
      if (event.kind === 'started') found.push(...event.rows);
      if (event.kind === 'step') losses.push(event.loss);
      if (event.kind === 'epoch') found.push(event.row);
    }
    rows = found;
  };
  /** As the command: the last checkpoint's weights, in batches of the run where none are named. */
  const evaluated = async (
    path: string,
    kind: WeightKind,
    batchSize?: number,
  ): Promise<ObservedEval> => {
    watching = watch();
    const small = (model: ModelName, dataset: DatasetName) =>
      smallModel(section, model, classCount(dataset));
    try {
      const trained = trainedModelOf(readCheckpoint(path), path, { kind }, small);
      const found = await evaluateTrained(run.backend, trained, run.dataset.test, batchSize);
      return { found, fed: watching.seen.evaluated };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { problem: error.message };
    }
  };
  try {
    if (stopAfter !== undefined) {
      await follow({ ...run, steps: stopAfter });
      [watching, losses] = [watch(), []];
    }
    const resume = stopAfter === undefined ? {} : { resume: newestCheckpoint(directory) };
    await follow({ ...run, ...resume });
    const { seen } = watching;
    const ends = listCheckpoints(directory).filter(({ step }) => step === 0);
    const checkpoints = new Map(ends.map(({ epoch, path }) => [epoch, readCheckpoint(path)]));
    const last = ends.reduce((a, b) => (a.epoch > b.epoch ? a : b)).path;
    const evals = {
      swa: await evaluated(last, 'swa'),
      raw: await evaluated(last, 'raw', section.settings.eval_batch),
    };
    return { ...seen, losses, rows, checkpoints, evals };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
