import type { Program } from '../program/program.ts';
import { trainingStep } from '../program/trainingStep.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import { feedsOf } from '../train/trainingState.ts';
import { recorded } from './recorded.ts';
import { arrayOf, type Reference } from './reference.ts';
import { rms } from './yardstick.ts';

/** The batch that gradients are judged on, and the training step that sees it. */
export interface RecordedBatch {
  readonly program: Program;
  /** What iteration `k` is fed: images, labels, its dropout masks, the learning rate. */
  readonly feeds: (k: number) => TensorMap;
}

/** Reads the batch of stage backward. Throws InputError where the reference does not hold it. */
export function recordedBatch(reference: Reference): RecordedBatch {
  const { batch: file, settings } = reference.stage('backward').kinkfree;
  const { model } = reference;
  const arrays = reference.arrays(file);
  const images = arrayOf(arrays, 'images', file) as Tensor<'float32'>;
  const labels = arrayOf(arrays, 'labels', file) as Tensor<'int64'>;
  // One [iterations, n, width] a dropout layer.
  const masks = model.dropouts.map((_, i) => arrayOf(arrays, `mask${i}`, file) as Tensor<'uint8'>);
  const masksAt = (k: number): Uint8Array[] =>
    masks.map(({ data, shape: [, n, width] }) => data.subarray(k * n * width, (k + 1) * n * width));
  return {
    program: trainingStep(model, {
      images: images.shape,
      momentum: settings.momentum,
      weightDecay: settings.weight_decay,
      dropout: settings.dropout > 0,
    }),
    feeds: (k) => feedsOf({ images, labels, masks: masksAt(k) }, settings.lr),
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
