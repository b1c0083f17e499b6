import { evaluationPassDraws } from '../torch/dataLoader.ts';
import type { TorchGenerator } from '../torch/generator.ts';
import type { TrainingSettings } from './settings/trainingSettings.ts';

/* What happens at the end of an epoch, counted from 0: the conditions in the authors' train.py. */

/** Whether the model is evaluated on the test set. */
export const isEvaluated = (epoch: number, { evalFreq, epochs }: TrainingSettings): boolean =>
  epoch === 0 || epoch % evalFreq === evalFreq - 1 || epoch === epochs - 1;

/** Whether the weights join the average: 40 times in 200 epochs with swaStart 161. */
export const joinsAverage = (
  epoch: number,
  { swa, swaStart, swaCEpochs }: TrainingSettings,
): boolean => swa && epoch + 1 >= swaStart && (epoch + 1 - swaStart) % swaCEpochs === 0;

/**
 * Whether the average is evaluated. With swaCEpochs > 1 the authors leave it out where no model joined,
 * the last epoch included; here the last epoch always tells what the run has reached.
 */
export const isAverageEvaluated = (epoch: number, settings: TrainingSettings): boolean =>
  isEvaluated(epoch, settings) &&
  (joinsAverage(epoch, settings) ||
    (settings.swa && epoch === settings.epochs - 1 && epoch + 1 >= settings.swaStart));

/** What the evaluations after an epoch draw from the training generator: one pass a model. */
export function drawEvaluations(
  epoch: number,
  settings: TrainingSettings,
  generator: TorchGenerator,
): void {
  if (isEvaluated(epoch, settings)) evaluationPassDraws(generator);
  if (isAverageEvaluated(epoch, settings)) evaluationPassDraws(generator);
}
