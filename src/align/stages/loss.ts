import { evaluationStep } from '../../program/evaluationStep.ts';
import { tensor, toFloat32 } from '../../tensor/tensor.ts';
import { compareMaps } from '../compareMaps.ts';
import { arrayOf } from '../reference.ts';
import { startingWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check } from '../verdict.ts';

const inputs = ['inputs/fake_data.npy', 'inputs/fake_label.npy'] as const;

/** Mean cross-entropy of the 30 fixed fake images. */
export const loss: Stage = async (context) => {
  const { backend, reference } = context;
  const { file } = reference.stage('loss');
  const arrays = reference.arrays(file);
  const { weights, verdict } = startingWeights(context);
  const images = reference.input(inputs[0]);
  const labels = reference.input(inputs[1]);
  const flat = { ...labels, shape: [labels.data.length] };

  const executable = await backend.compile(evaluationStep(reference.model, images.shape), ['loss']);
  const state = await backend.upload(weights);
  const results = await executable.run(
    state,
    new Map([
      ['images', images],
      ['labels', flat],
    ]),
  );
  await executable.dispose();
  await backend.free(state);

  const ours = new Map([['loss', tensor('float32', [], toFloat32(results.get('loss')!))]]);
  const pytorch = new Map([['loss', arrayOf(arrays, 'f32/loss', file)]]);
  const judged = compareMaps(ours, pytorch, (_, { meanAbs }) => [
    check('mean', meanAbs, tolerances.meanAbs),
  ]);
  return { verdicts: [verdict, ...judged], ours, pytorch, inputs: [...inputs], notes: [] };
};
