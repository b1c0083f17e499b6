import type { Backend } from '../../backends/backend.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { models } from '../../nn/models/index.ts';
import type { TrainedModel } from '../checkpoint/trainedModel.ts';
import { type Evaluation, evaluate, evaluationPrograms } from './evaluate.ts';

/** A trained model on a test set: its images as the model wants them, in batches as its run had them or as told. */
export async function evaluateTrained(
  backend: Backend,
  { model, weights, settings }: TrainedModel,
  test: ImageSet,
  batchSize = settings.batchSize,
): Promise<Evaluation> {
  const programs = evaluationPrograms(backend, model);
  const state = await backend.upload(weights);
  const { preparation } = models[settings.model];
  const found = await evaluate(programs, state, test, batchSize, preparation);
  await programs.dispose();
  await backend.free(state);
  return found;
}
