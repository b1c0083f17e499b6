import { evaluationStep } from '../../program/evaluationStep.ts';
import { type Tensor, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { compareMaps } from '../compareMaps.ts';
import { meanAbsBar } from '../orderOfOne.ts';
import { arrayOf } from '../reference.ts';
import { startingWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { check } from '../verdict.ts';
import { evaluationBatch } from './evaluationBatch.ts';

/** Mean cross-entropy of the fixed fake images, or of the reference's own. */
export const loss: Stage = async (context) => {
  const { backend, reference } = context;
  const section = reference.stage('loss');
  const { file } = section;
  const arrays = reference.arrays(file);
  const { weights, verdict } = startingWeights(context);
  const { images, labels, inputs } = evaluationBatch(reference, section);

  const executable = await backend.compile(evaluationStep(reference.model, images.shape), ['loss']);
  const state = await backend.upload(weights);
  const results = await executable.run(
    state,
    new Map<string, Tensor>([
      ['images', images],
      ['labels', labels],
    ]),
  );
  await executable.dispose();
  await backend.free(state);

  const ours = new Map([['loss', tensor('float32', [], toFloat32(results.get('loss')!))]]);
  const pytorch = new Map([['loss', arrayOf(arrays, 'f32/loss', file)]]);
  const bar = meanAbsBar(pytorch.get('loss')!);
  const judged = compareMaps(ours, pytorch, (_, { meanAbs }) => [check('mean', meanAbs, bar)]);
  return { verdicts: [verdict, ...judged], ours, pytorch, inputs, notes: [] };
};
