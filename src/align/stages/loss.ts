import { meanAbsBar } from '../judge/orderOfOne.ts';
import { arrayOf } from '../reference/reference.ts';
import { evaluating } from './evaluationBatch.ts';
import { sameStart } from './sameStart.ts';
import type { Part, Stage } from './stage.ts';

const crossEntropy: Part = {
  async run(context) {
    const { ask, inputs } = evaluating(context, context.reference.stage('loss'));
    return { recording: await ask(['loss']), inputs };
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
