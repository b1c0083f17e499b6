import { UsageError } from '../errors.ts';
import { readSafetensorsFile } from '../io/safetensors.ts';
import { readWeights } from '../io/weights.ts';
import { type ModelName, models } from '../nn/models/index.ts';
import type { Network } from '../nn/module.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import { type Checkpoint, checkpointOf, isCheckpoint } from './checkpoint.ts';
import { classCount } from './dataset.ts';
import { modelWeights } from './stateDict.ts';
import { type DatasetName, recipe, type TrainingSettings } from './trainingSettings.ts';

export const weightKinds = ['swa', 'raw'] as const;
/** The average, or the weights that were trained. */
export type WeightKind = (typeof weightKinds)[number];

/** Checks a kind named on the command line. Throws UsageError. */
export function weightKindOf(text: string): WeightKind {
  const found = weightKinds.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new UsageError(`there are no "${text}" weights`, {
    fix: `--weights takes ${weightKinds.join(' or ')}`,
  });
}

/** A model ready to be evaluated. */
export interface TrainedModel {
  readonly model: Network;
  readonly weights: TensorMap;
  readonly kind: WeightKind;
  /** Those of its run; the recipe's for a file of bare weights. */
  readonly settings: TrainingSettings;
}

const build = (name: ModelName, dataset: DatasetName): Network =>
  models[name].build(classCount(dataset));

export interface Wanted {
  readonly kind?: WeightKind;
  readonly model?: ModelName;
  /** What bare weights were trained on; a checkpoint knows it. */
  readonly dataset?: DatasetName;
}

/** A checkpoint's weights: those asked for, or else the average where there is one. */
export function trainedModelOf(
  { settings, weights, average }: Checkpoint,
  path: string,
  { kind: asked, model: named }: Wanted,
  buildModel: (name: ModelName, dataset: DatasetName) => Network = build,
): TrainedModel {
  if (named !== undefined && named !== settings.model) {
    throw new UsageError(`is a checkpoint of ${settings.model}, not of ${named}`, {
      where: path,
      fix: 'leave --model out',
    });
  }
  const kind = asked ?? (average === undefined ? 'raw' : 'swa');
  const chosen = kind === 'swa' ? average : weights;
  if (chosen === undefined) {
    throw new UsageError('holds no average yet', { where: path, fix: 'give --weights raw' });
  }
  const model = buildModel(settings.model, settings.dataset);
  return { model, weights: modelWeights(model, chosen, path), kind, settings };
}

/**
 * Reads a checkpoint of a run, or bare weights (.pt, .safetensors, .npz) of `model`. Throws UsageError or
 * InputError, naming the file, when what was asked for is not in it.
 */
export function readTrainedModel(path: string, wanted: Wanted): TrainedModel {
  if (path.endsWith('.safetensors')) {
    const file = readSafetensorsFile(path);
    if (isCheckpoint(file.metadata)) return trainedModelOf(checkpointOf(file, path), path, wanted);
  }
  if (wanted.kind !== undefined) {
    throw new UsageError('holds one set of weights', { where: path, fix: 'leave --weights out' });
  }
  const { model: name = recipe.model, dataset = recipe.dataset } = wanted;
  const settings = { ...recipe, model: name, dataset };
  const model = build(name, dataset);
  const weights = modelWeights(model, readWeights(path), path);
  return { model, weights, kind: 'raw', settings };
}
