import { holding } from '../../backends/holding.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { meanAbsBar } from '../judge/orderOfOne.ts';
import { arrayOf } from '../reference/reference.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import { evaluationBatch } from './evaluationBatch.ts';
import { sameStart } from './sameStart.ts';
import type { Part, Stage } from './stage.ts';

const crossEntropy: Part = {
  async run(context) {
    const { backend, reference } = context;
    const { images, labels, inputs } = evaluationBatch(reference, reference.stage('loss'));
    const feeds = new Map<string, Tensor>([
      ['images', images],
      ['labels', labels],
    ]);
    const program = evaluationStep(reference.model, images.shape);
    const recording = await holding(backend, program, ['loss'], startingWeights(context), (held) =>
      held.run(feeds),
    );
    return { recording, inputs };
  },
  expect({ reference }) {
    const { file } = reference.stage('loss');
    const to = arrayOf(reference.arrays(file), 'f32/loss', file);
    return [
      { name: 'loss', rule: { kind: 'distance', method: 'mean', to, threshold: meanAbsBar(to) } },
    ];
  },
};

/** Mean cross-entropy of the fixed fake images, or of the reference's own. */
export const loss: Stage = () => [sameStart, crossEntropy];
