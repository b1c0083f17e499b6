import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageSet, imageBytes, readCifar10 } from '../../data/cifar.ts';
import { sha256Hex } from '../../io/sha256.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { bytesOf, type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { type Checkpoint, readCheckpoint } from '../../train/checkpoint.ts';
import { listCheckpoints, newestCheckpoint } from '../../train/checkpointFiles.ts';
import type { LogRow } from '../../train/logRow.ts';
import type { TrainingRun } from '../../train/session.ts';
import { train } from '../../train/train.ts';
import { recipe, type TrainingSettings } from '../../train/trainingSettings.ts';
import type { Manifest } from '../manifest.ts';
import type { StageContext } from '../stage.ts';
import { watchedBackend } from '../watchedBackend.ts';

export type EpochsSection = NonNullable<Manifest['stages']['epochs']>;

/** What a program of one step was really fed. */
export interface FedStep {
  /** How many images. */
  readonly images: number;
  readonly lr: number;
  readonly digests: EpochsSection['steps'][number];
}

/** A run as somebody saw it who only looks at what goes into the programs and what comes out. */
export interface ObservedRun {
  readonly fed: readonly FedStep[];
  /** Loss of each step. */
  readonly losses: readonly number[];
  /** Digests of the images of each pass that refreshed batch norm, by epoch. */
  readonly refreshes: readonly (readonly string[])[];
  readonly rows: readonly LogRow[];
  /** By epochs done, the beginning included. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

const digest = (t: Tensor): string => sha256Hex(bytesOf(t));

/** A mask is fed as floats of 0 and 1, and recorded as bytes. */
const maskDigest = (t: Tensor): string => sha256Hex(Uint8Array.from(toFloat64(t)));

const fedStep = (inputs: TensorMap): FedStep => {
  const get = (name: string): Tensor => inputs.get(name)!;
  return {
    images: get('images').shape[0],
    lr: toFloat64(get('lr'))[0],
    digests: {
      images: digest(get('images')),
      labels: digest(get('labels')),
      mask0: maskDigest(get('mask0')),
      mask1: maskDigest(get('mask1')),
    },
  };
};

const firstOf = (set: ImageSet, count: number): ImageSet => ({
  ...set,
  images: set.images.subarray(0, count * imageBytes),
  labels: set.labels.subarray(0, count),
  count,
});

const settingsOf = ({ settings: s }: EpochsSection): TrainingSettings => ({
  ...recipe,
  model: 'vgg16bn',
  dataset: 'synthetic',
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
  seed: s.seed,
});

/** The model of the stage: VGG16BN with every width divided. */
export const smallModel = (section: EpochsSection, classes: number) =>
  vgg({ depth: 16, batchNorm: true, classes, narrow: section.settings.narrow });

/**
 * Trains the small network from beginning to end, as `npm run train` does, in a directory of its own that is
 * gone afterwards. With `stopAfter` the run is dropped after so many steps and taken up again from its newest
 * checkpoint; what is told is then of the second part only.
 */
export async function smallRun(
  { backend, reference }: StageContext,
  section: EpochsSection,
  stopAfter?: number,
): Promise<ObservedRun> {
  const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
  const dir = reference.syntheticDirectory();
  const { images, test_images: testImages } = section.settings;
  let fed: FedStep[] = [];
  let refreshes: string[][] = [];
  let losses: number[] = [];
  let last = '';
  const watched = watchedBackend(backend, ({ name }, inputs) => {
    if (name === 'training step') fed.push(fedStep(inputs));
    if (name === 'batch norm refresh') {
      if (last !== name) refreshes.push([]);
      refreshes[refreshes.length - 1].push(digest(inputs.get('images')!));
    }
    last = name;
  });
  const run: TrainingRun = {
    settings: settingsOf(section),
    model: smallModel(section, reference.manifest.classes),
    dataset: {
      train: firstOf(readCifar10(dir, 'train'), images),
      test: firstOf(readCifar10(dir, 'test'), testImages),
    },
    backend: watched,
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
  try {
    if (stopAfter !== undefined) {
      await follow({ ...run, steps: stopAfter });
      [fed, refreshes, losses, last] = [[], [], [], ''];
    }
    const resume = stopAfter === undefined ? {} : { resume: newestCheckpoint(directory) };
    await follow({ ...run, ...resume });
    const ends = listCheckpoints(directory).filter(({ step }) => step === 0);
    const checkpoints = new Map(ends.map(({ epoch, path }) => [epoch, readCheckpoint(path)]));
    return { fed, losses, refreshes, rows, checkpoints };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
