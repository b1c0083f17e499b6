import { scalarsAt } from '../../optim/optimizer.ts';
import type { Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import { rms } from '../measure/relativeError.ts';
import { recorded } from './recorded.ts';
import { recordedOptimizer } from './recordedOptimizer.ts';
import { checkDropout, type RecordedSteps, stepAt } from './recordedSteps.ts';
import { arrayOf, type Reference } from './reference.ts';
import { storedWeights } from './seedWeights.ts';

/** The batch that gradients are judged on, and the training step that sees it. */
export interface RecordedBatch {
  readonly program: Program;
  /** What iteration `k` is fed: images, labels, its dropout masks, the learning rate. */
  readonly feeds: (k: number) => TensorMap;
  /**
   * What its iterations begin from: the given weights, but those the batch brings along, and what the optimizer
   * keeps, at zero. Deep networks begin from
   * batch-norm biases that keep their decisions from their kinks.
   */
  readonly start: (weights: TensorMap) => TensorMap;
}

/** Reads the batch of stage backward. Throws InputError where the reference does not hold it. */
export function recordedBatch(reference: Reference): RecordedBatch {
  const { batch: file, settings } = reference.stage('backward').kinkfree;
  const { model } = reference;
  checkDropout(reference, settings.dropout);
  const dropout = settings.dropout > 0;
  const optimizer = recordedOptimizer(settings);
  const arrays = reference.arrays(file);
  const steps: RecordedSteps = {
    images: arrayOf(arrays, 'images', file) as Tensor<'float32'>,
    labels: arrayOf(arrays, 'labels', file) as Tensor<'int64'>,
    masks: dropout
      ? model.dropouts.map((_, i) => arrayOf(arrays, `mask${i}`, file) as Tensor<'uint8'>)
      : [],
  };
  return {
    program: trainingStep(model, {
      images: steps.images.shape.slice(-1 - model.image.length),
      optimizer,
      dropout,
    }),
    feeds: (k) => feedsOf(stepAt(steps, k), scalarsAt(optimizer, settings.lr, k + 1)),
    start: (weights) =>
      initialTrainingState(model, new Map([...weights, ...storedWeights(arrays)]), optimizer),
  };
}

/** What the error of a tensor is measured by that is zero but for rounding. */
export interface Scale {
  readonly value: number;
  readonly what: string;
}

/**
 * The scale for a bias that batch norm cancels, its gradient or momentum: the weight it belongs to. None
 * for other tensors, nor where the weight was not recorded.
 */
export function cancelledScale(
  cancelled: readonly string[],
  arrays: TensorMap,
  prefix: string,
  name: string,
): Scale | undefined {
  const bias = cancelled.find((b) => name === b || name.startsWith(`${b}.`));
  if (bias === undefined) return undefined;
  const partner = name.replace(bias, bias.replace(/bias$/, 'weight'));
  const record = recorded(arrays, `${prefix}${partner}`);
  return record === undefined ? undefined : { value: rms(record.truth), what: `RMS of ${partner}` };
}
