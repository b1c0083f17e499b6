import { openTrainingStream, trainingSteps } from '../../data/trainingStream.ts';
import { npyChunks } from '../../io/numpy/npy.ts';
import { zipChunks } from '../../io/zip/zipWriter.ts';
import { initPlan, type Module } from '../../nn/module.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { batchNames } from '../batchNames.ts';
import type { Dataset } from '../dataset.ts';
import { drawEvaluations } from '../epochDecisions.ts';
import type { TrainingSettings } from '../settings/trainingSettings.ts';
import { stateDict } from '../stateDict.ts';
import { streamSettings } from './session.ts';

export interface FirstBatches {
  /** The state dict that the run begins with. */
  readonly weights: TensorMap;
  /**
   * `order_k` int64 [b], `images_k` float32 [b, 3, 32, 32], `labels_k` int64 [b] and for every dropout
   * layer `mask<i>_k` uint8 [b, width], for k from 0; drawn as they are asked for, and only once.
   */
  readonly arrays: Iterable<readonly [string, Tensor]>;
}

/**
 * What the first `count` steps of a run see. Epochs follow one another as in the authors' train.py: the
 * evaluations between them draw from the generator too, see `drawEvaluations`.
 */
export function firstBatches(
  settings: TrainingSettings,
  model: Module,
  dataset: Dataset,
  count: number,
): FirstBatches {
  const { weights, stream } = openTrainingStream({
    ...streamSettings(settings, model, dataset),
    seed: settings.seed,
    plan: initPlan(model),
    secondModel: settings.swa,
  });
  function* arrays(): Generator<readonly [string, Tensor]> {
    let k = 0;
    for (const { order, images, labels, masks, epoch, last } of trainingSteps(stream)) {
      const batch = order.length;
      yield [batchNames.order(k), tensor('int64', [batch], BigInt64Array.from(order, BigInt))];
      yield [batchNames.images(k), images];
      yield [batchNames.labels(k), labels];
      for (const [i, mask] of masks.entries()) {
        yield [batchNames.mask(i, k), tensor('uint8', [batch, mask.length / batch], mask)];
      }
      k++;
      if (k === count) return;
      if (last) drawEvaluations(epoch, settings, stream.generator);
    }
  }
  return { weights: stateDict(model, weights, 0), arrays: arrays() };
}

/** A .npz file of arrays that are made one after the other, so that all need never be in memory. */
export function npzOf(arrays: Iterable<readonly [string, Tensor]>): Iterable<Uint8Array> {
  function* entries() {
    for (const [name, t] of arrays) yield { name: `${name}.npy`, chunks: npyChunks(t) };
  }
  return zipChunks(entries(), {}, '.npz file');
}
