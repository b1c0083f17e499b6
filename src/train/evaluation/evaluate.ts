import type { Backend, DeviceState } from '../../backends/backend.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { evaluationBatches } from '../../data/loader.ts';
import type { Preparation } from '../../nn/models/preparation.ts';
import type { Network } from '../../nn/module.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { type ByBatchSize, byBatchSize } from '../byBatchSize.ts';
import { heed } from '../stopping.ts';

export interface Evaluation {
  /** Share of right predictions, 0 to 1. */
  readonly accuracy: number;
  /** Mean cross-entropy over images (a short batch counts by its size). */
  readonly loss: number;
  /** [images · classes] */
  readonly logits: Float32Array;
  /** [images] */
  readonly predictions: BigInt64Array;
}

/** The evaluation programs of a model, compiled as they are needed. */
export const evaluationPrograms = (backend: Backend, model: Network): ByBatchSize =>
  byBatchSize(backend, (batch) => evaluationStep(model, [batch, ...model.image]), [
    'logits',
    'predictions',
    'correct',
    'loss',
  ]);

/**
 * Runs `set` through the model in its own order, in batches of at most `batchSize`. Throws the signal's reason
 * when that aborts.
 */
export async function evaluate(
  programs: ByBatchSize,
  state: DeviceState,
  set: ImageSet,
  batchSize: number,
  preparation: Preparation,
  signal?: AbortSignal,
): Promise<Evaluation> {
  let [right, lossSum, at] = [0, 0, 0];
  const predictions = new BigInt64Array(set.count);
  const logits: Float32Array[] = [];
  for (const { images, labels } of evaluationBatches(set, batchSize, preparation)) {
    await heed(signal);
    const count = labels.data.length;
    const executable = await programs.get(count);
    const results = await executable.run(state, evaluationFeeds(images, labels));
    right += toFloat64(results.get('correct')!)[0];
    lossSum += toFloat64(results.get('loss')!)[0] * count;
    predictions.set(results.get('predictions')!.data as BigInt64Array, at);
    logits.push(Float32Array.from(toFloat64(results.get('logits')!)));
    at += count;
  }
  const width = logits[0].length / Math.min(batchSize, set.count);
  const all = new Float32Array(set.count * width);
  logits.reduce((offset, part) => {
    all.set(part, offset);
    return offset + part.length;
  }, 0);
  return { accuracy: right / set.count, loss: lossSum / set.count, logits: all, predictions };
}
