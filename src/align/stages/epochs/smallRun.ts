import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../../errors.ts';
import type { WeightKind } from '../../../io/torch/weightSets.ts';
import { modelName } from '../../../nn/models/index.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { type Checkpoint, readCheckpoint } from '../../../train/checkpoint/checkpoint.ts';
import { listCheckpoints, newestCheckpoint } from '../../../train/checkpoint/checkpointFiles.ts';
import { trainedModelOf } from '../../../train/checkpoint/trainedModel.ts';
import { classCount } from '../../../train/dataset.ts';
import type { Evaluation } from '../../../train/evaluation/evaluate.ts';
import { evaluateTrained } from '../../../train/evaluation/evaluateTrained.ts';
import type { LogRow } from '../../../train/logRow.ts';
import type { TrainingRun } from '../../../train/loop/session.ts';
import { train } from '../../../train/loop/train.ts';
import type { TrainingSettings } from '../../../train/settings/trainingSettings.ts';
import type { Manifest } from '../../reference/manifest.ts';
import { smallDataset, smallModel, smallSettings } from '../small/smallNetwork.ts';
import {
  type FedRefresh,
  type FedStep,
  type FedTest,
  fedStep,
  watchedRun,
} from '../small/watchedRun.ts';
import type { StageContext } from '../stage.ts';
import { watchedBackend } from '../watchedBackend.ts';

export type EpochsSection = NonNullable<Manifest['stages']['epochs']>;

/** What a training step was fed, its rate too. */
interface FedTrainingStep extends FedStep {
  readonly lr: number;
}

/** What the command `eval` says of the run's last checkpoint, and which batches it looked at; or why it refuses it. */
export type ObservedEval =
  | { readonly found: Evaluation; readonly fed: readonly FedTest[] }
  | { readonly problem: string };

/** A run, seen only by what goes into its programs and what comes out. */
export interface ObservedRun {
  readonly fed: readonly FedTrainingStep[];
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

const watch = () =>
  watchedRun(
    'training step',
    (inputs): FedTrainingStep => ({ ...fedStep(inputs), lr: toFloat64(inputs.get('lr')!)[0] }),
  );

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
  const settings = smallSettings(section.settings, name);
  let watching = watch();
  let losses: number[] = [];
  const run: TrainingRun = {
    settings,
    model: smallModel(section.settings, name, classCount(settings.dataset)),
    dataset: smallDataset(reference, section.settings),
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
    const small = ({ model, dataset }: Pick<TrainingSettings, 'model' | 'dataset'>) =>
      smallModel(section.settings, model, classCount(dataset));
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
