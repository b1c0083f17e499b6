import { scalarsAt } from '../../optim/optimizer.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import { compareMaps } from '../compareMaps.ts';
import { recordedOptimizer } from '../recordedOptimizer.ts';
import { arrayOf } from '../reference.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check } from '../verdict.ts';
import { nothing } from './parts.ts';

const inputs = ['inputs/fake_data.npy', 'inputs/fake_label.npy'] as const;

/**
 * What the original port checked: the losses of three iterations on the 30 fake images, dropout off, its
 * own learning rate. On such a batch gradients beyond the first step are decided by rounding at kinks, so
 * losses are all that is compared.
 */
export async function ncpaddleLosses(
  { backend, reference }: StageContext,
  weights: TensorMap,
): Promise<StageFindings> {
  const { file, ncpaddle } = reference.stage('backward');
  if (ncpaddle === undefined) return nothing;
  const { settings } = ncpaddle;
  const { model } = reference;
  const images = reference.input(inputs[0]) as Tensor<'float32'>;
  const labels = reference.input(inputs[1]) as Tensor<'int64'>;
  const optimizer = recordedOptimizer(settings);
  const program = trainingStep(model, {
    images: images.shape,
    optimizer,
    dropout: settings.dropout > 0,
  });
  const executable = await backend.compile(program, ['loss']);
  const state = await backend.upload(initialTrainingState(model, weights, optimizer));
  const losses = new Float32Array(settings.iterations);
  const flat = tensor('int64', [labels.data.length], labels.data);
  for (let k = 0; k < losses.length; k++) {
    const numbers = scalarsAt(optimizer, settings.lr, k + 1);
    const feeds = feedsOf({ images, labels: flat, masks: [] }, numbers);
    const results = await executable.run(state, feeds);
    losses[k] = toFloat64(results.get('loss')!)[0];
  }
  await executable.dispose();
  await backend.free(state);

  const key = 'ncpaddle/losses';
  const ours = new Map([[key, tensor('float32', [losses.length], losses)]]);
  const pytorch = new Map([[key, arrayOf(reference.arrays(file), `f32/${key}`, file)]]);
  const verdicts = compareMaps(ours, pytorch, (_, { meanAbs }) => [
    check('mean', meanAbs, tolerances.meanAbs),
  ]);
  return { verdicts, ours, pytorch, inputs: [...inputs], notes: [] };
}
