import type { Backend } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { models } from '../../nn/models/index.ts';
import type { TrainedModel } from '../checkpoint/trainedModel.ts';
import { type Evaluation, evaluate, evaluationPrograms } from './evaluate.ts';

/** A trained model on a test set: its images as the model wants them, in batches as its run had them or as told. */
export const evaluateTrained = (
  backend: Backend,
  { model, weights, settings }: TrainedModel,
  test: ImageSet,
  batchSize = settings.batchSize,
): Promise<Evaluation> =>
  releasing(async (on) => {
    const programs = evaluationPrograms(on(backend), model);
    const state = await on(backend).upload(weights);
    return evaluate(programs, state, test, batchSize, models[settings.model].preparation);
  });
