import { statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, UsageError } from '../../errors.ts';
import { fileFormat } from '../../io/fileFormat.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { readSafetensors } from '../../io/safetensors/safetensors.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { type WeightKind, weightKinds } from '../../io/torch/weightSets.ts';
import { weightsOf } from '../../io/weights.ts';
import { checkNarrow, type ModelName, models } from '../../nn/models/index.ts';
import type { Network } from '../../nn/module.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { classCount } from '../dataset.ts';
import { type DatasetName, recipe, type TrainingSettings } from '../settings/trainingSettings.ts';
import { fittedWeights, modelWeights } from '../stateDict.ts';
import { type Checkpoint, checkpointOf, isCheckpoint } from './checkpoint.ts';
import { configFile, readModelConfig, weightsFile } from './modelConfig.ts';

/** Whether a name of weights is that of an exported directory. */
export const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Checks a kind named on the command line. Throws UsageError. */
export function weightKindOf(text: string): WeightKind {
  const found = weightKinds.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new UsageError(`there are no "${text}" weights`, {
    fix: `--weights takes ${weightKinds.join(' or ')}`,
  });
}

/** What a checkpoint knows of its run besides the settings. */
export interface KnownRun
  extends Pick<Checkpoint, 'backend' | 'data' | 'rows' | 'averaged' | 'position'> {
  /** What the test set said of these very weights, when the run looked: mean cross-entropy, and percent. */
  readonly tested?: { readonly loss: number; readonly accuracy: number };
}

/** A model ready to be evaluated. */
export interface TrainedModel {
  readonly model: Network;
  readonly weights: TensorMap;
  readonly kind: WeightKind;
  /** Those of its run; the recipe's for a file of bare weights. */
  readonly settings: TrainingSettings;
  /** What it was trained on, where that is known or was said. */
  readonly dataset?: DatasetName;
  /** The run that a checkpoint is of. */
  readonly run?: KnownRun;
  /** What was chosen, left out or renamed on the way, a sentence each. */
  readonly notes: readonly string[];
}

/** The model of a run, with a class for each of its data set's. */
export const buildModel = ({ model, narrow, dataset }: ModelSettings): Network =>
  models[model].build(classCount(dataset), narrow);

/** The settings that a model is built from. */
type ModelSettings = Pick<TrainingSettings, 'model' | 'narrow' | 'dataset'>;

export interface Wanted {
  readonly kind?: WeightKind;
  readonly model?: ModelName;
  /** How much narrower than the paper's the model of bare weights is. */
  readonly narrow?: number;
  /** What bare weights were trained on; a checkpoint knows it. */
  readonly dataset?: DatasetName;
  /** Of bare weights, where nothing else is said; the recipe's where this is not, either. */
  readonly bare?: ModelSettings;
}

/** The last row of the log, where no step was made since. */
function testedOf({ position, rows, ...of }: Checkpoint, kind: WeightKind): KnownRun['tested'] {
  const last = rows.at(-1);
  if (last?.epoch !== position.epoch || position.step !== 0 || of.closing !== undefined)
    return undefined;
  const [loss, accuracy] =
    kind === 'swa' ? [last.swaTestLoss, last.swaTestAccuracy] : [last.testLoss, last.testAccuracy];
  return loss === undefined || accuracy === undefined ? undefined : { loss, accuracy };
}

const knownRun = (checkpoint: Checkpoint, kind: WeightKind): KnownRun => {
  const { backend, data, rows, averaged, position } = checkpoint;
  const tested = testedOf(checkpoint, kind);
  return { backend, data, rows, averaged, position, ...(tested && { tested }) };
};

/** A checkpoint's weights: those asked for, or else the average where there is one. */
export function trainedModelOf(
  checkpoint: Checkpoint,
  path: string,
  { kind: asked, model: named, narrow }: Wanted,
  build: (settings: ModelSettings) => Network = buildModel,
): TrainedModel {
  const { settings, weights, average, refreshFrom } = checkpoint;
  if (named !== undefined && named !== settings.model) {
    throw new UsageError(`is a checkpoint of ${settings.model}, not of ${named}`, {
      where: path,
      fix: 'leave --model out',
    });
  }
  const { narrow: began = 1 } = settings;
  if (narrow !== undefined && narrow !== began) {
    throw new UsageError(`is a checkpoint of a model of --narrow ${began}, not ${narrow}`, {
      where: path,
      fix: 'leave --narrow out',
    });
  }
  const kind = asked ?? (average === undefined ? 'raw' : 'swa');
  const chosen = kind === 'swa' ? average : weights;
  if (chosen === undefined) {
    throw new UsageError('holds no average yet', { where: path, fix: 'give --weights raw' });
  }
  if (kind === 'swa' && refreshFrom !== undefined) {
    throw new InputError('the run was stopped before its average got its batch-norm statistics', {
      where: path,
      fix: 'continue with train --resume, or give --weights raw',
    });
  }
  const model = build(settings);
  return {
    model,
    weights: modelWeights(model, chosen, path),
    kind,
    settings,
    dataset: settings.dataset,
    run: knownRun(checkpoint, kind),
    notes: [],
  };
}

/** What a directory of `export --format hf` holds. */
function exportedModel(
  dir: string,
  { kind: asked, model: named, narrow: wanted }: Wanted,
): TrainedModel {
  const config = readModelConfig(dir);
  const { model_type: name, narrow, dataset, training, weights: kind } = config;
  const given = [
    ['--model', named, name],
    ['--narrow', wanted, narrow],
    ['--weights', asked, kind],
  ] as const;
  for (const [flag, mine, its] of given) {
    if (mine === undefined || mine === its) continue;
    throw new UsageError(`is an export with ${flag} ${its ?? 'not told'}, not ${mine}`, {
      where: dir,
      fix: `leave ${flag} out`,
    });
  }
  const path = join(dir, weightsFile);
  const bytes = readFileOrFail(path);
  if (sha256Hex(bytes) !== config.sha256[weightsFile]) {
    throw new InputError(
      `is not the file that ${configFile} was written with: its digest differs`,
      {
        where: path,
        fix: 'export it again, or name the file itself and its --model',
      },
    );
  }
  const settings: TrainingSettings = {
    ...(training ?? recipe),
    model: name,
    ...(narrow > 1 && { narrow }),
    ...(dataset && { dataset }),
  };
  const model = models[name].build(config.num_labels, narrow);
  const { tensors } = readSafetensors(bytes, path);
  return {
    model,
    ...fittedWeights(model, { tensors, notes: [] }, path),
    kind: kind ?? 'raw',
    settings,
    ...(dataset && { dataset }),
  };
}

/**
 * Reads a checkpoint of a run, a directory that `export --format hf` wrote, or weights of `model` in a file of PyTorch,
 * safetensors or NumPy: the average
 * where there is one, if no other is asked for. Throws UsageError or InputError, naming the file, when what
 * was asked for is not in it.
 */
export function readTrainedModel(path: string, wanted: Wanted): TrainedModel {
  if (isDirectory(path)) return exportedModel(path, wanted);
  const bytes = readFileOrFail(path);
  if (fileFormat(bytes, path) === 'safetensors') {
    const file = readSafetensors(bytes, path);
    if (isCheckpoint(file.metadata)) return trainedModelOf(checkpointOf(file, path), path, wanted);
  }
  const { bare = recipe } = wanted;
  const { kind: asked, model: name = bare.model, dataset = bare.dataset } = wanted;
  const { narrow = bare.narrow ?? 1 } = wanted;
  checkNarrow(name, narrow);
  const settings = { ...recipe, model: name, dataset, ...(narrow > 1 && { narrow }) };
  const model = buildModel(settings);
  const saved = weightsOf(bytes, path, {
    prefer: 'swa',
    ...(asked === undefined ? {} : { kind: asked }),
  });
  return {
    model,
    ...fittedWeights(model, saved, path),
    kind: saved.kind,
    settings,
    ...(wanted.dataset && { dataset: wanted.dataset }),
  };
}
