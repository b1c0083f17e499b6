import type { Backend } from '../backends/backend.ts';
import { releasing } from '../backends/holding.ts';
import { type ImageSet, imageBytes } from '../data/cifar.ts';
import { evaluationBatches } from '../data/loader.ts';
import type { Preparation } from '../nn/models/preparation.ts';
import type { Network } from '../nn/module.ts';
import { hasBatchNorm } from '../program/batchNormRefresh.ts';
import { refreshBatchNorm, refreshPrograms } from '../train/averaging/refreshBatchNorm.ts';
import { evaluate, evaluationPrograms } from '../train/evaluation/evaluate.ts';
import { lengthOf, type WeightVector } from './weightVector.ts';

/** What is measured at a point. */
export interface Measured {
  /** Mean cross-entropy over the images; not finite where the network overflows. */
  readonly trainLoss: number;
  /** How many of the images are taken for another class. */
  readonly trainWrong: number;
  readonly testLoss: number;
  readonly testWrong: number;
  /** Of the parameters, Euclidean: what weight decay adds to the loss is half of its square times the decay. */
  readonly norm: number;
}

/** What points are measured on. */
export interface MeasureSetup {
  readonly model: Network;
  readonly preparation: Preparation;
  /** Of the training loss. */
  readonly train: ImageSet;
  /** Of batch norm's statistics. */
  readonly refresh: ImageSet;
  readonly test: ImageSet;
  readonly batchSize: number;
}

/** The first `count` images of a set. */
export const firstImages = (set: ImageSet, count: number): ImageSet => ({
  ...set,
  count,
  images: set.images.subarray(0, count * imageBytes),
  labels: set.labels.subarray(0, count),
});

export type Measure = (weights: WeightVector, signal?: AbortSignal) => Promise<Measured>;

function* imagesOf({ refresh, batchSize, preparation }: MeasureSetup) {
  for (const { images } of evaluationBatches(refresh, batchSize, preparation)) yield images;
}

/**
 * Measures points as long as `use` asks for them. At each, batch norm's running statistics are computed anew for its
 * weights, then training and test images are evaluated; no image is augmented, nothing is drawn.
 */
export const measuring = <T>(
  backend: Backend,
  setup: MeasureSetup,
  use: (measure: Measure) => Promise<T>,
): Promise<T> =>
  releasing((on) => {
    const { model, preparation, batchSize } = setup;
    const programs = evaluationPrograms(on(backend), model);
    const refreshing = refreshPrograms(on(backend), model);
    return use((weights, signal) =>
      releasing(async (onPoint) => {
        const state = await onPoint(backend).upload(weights);
        if (hasBatchNorm(model)) {
          await refreshBatchNorm(backend, model, refreshing, state, imagesOf(setup), signal);
        }
        const on = async (set: ImageSet) => {
          const found = await evaluate(programs, state, set, batchSize, preparation, signal);
          return { loss: found.loss, wrong: Math.round((1 - found.accuracy) * set.count) };
        };
        const [train, test] = [await on(setup.train), await on(setup.test)];
        return {
          trainLoss: train.loss,
          trainWrong: train.wrong,
          testLoss: test.loss,
          testWrong: test.wrong,
          norm: lengthOf([[1, weights]]),
        };
      }),
    );
  });
