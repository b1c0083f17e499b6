import { readCifar10 } from '../../data/cifar.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { evaluate, evaluationPrograms } from '../../train/evaluate.ts';
import type { Rule } from '../judge/expectation.ts';
import { arrayOf } from '../reference.ts';
import { startingWeights, storedWeights } from '../seedWeights.ts';
import type { Part, Stage } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { sameStart } from './sameStart.ts';

/** How each part of the metric is judged, in the order in which it is computed. */
const rules: Readonly<Record<string, (to: Tensor) => Rule>> = {
  logits: (to) => ({
    kind: 'distance',
    method: 'relative l2',
    to,
    threshold: tolerances.relativeL2,
  }),
  predictions: (to) => ({
    kind: 'equality',
    to,
    row: (i) => `image ${i}`,
    what: `${to.data.length} predictions`,
    refuseConstant: 'one class for every input: equal answers prove nothing',
  }),
  accuracy: (to) => ({ kind: 'equality', to, what: 'one number' }),
  loss: (to) => ({ kind: 'distance', method: 'mean', to, threshold: tolerances.meanAbs }),
};

const evaluation: Part = {
  async run(context) {
    const { backend, reference } = context;
    const { file, settings, images } = reference.stage('metric');
    const weights: TensorMap = new Map<string, Tensor>([
      ...startingWeights(context),
      ...storedWeights(reference.arrays(file)),
    ]);
    const set = { ...readCifar10(reference.syntheticDirectory(), 'test'), count: images };
    const state = await backend.upload(weights);
    const programs = evaluationPrograms(backend, reference.model);
    const found = await evaluate(programs, state, set, settings.batch, reference.preparation);
    await programs.dispose();
    await backend.free(state);
    const answers = new Set(found.predictions).size;
    return {
      recording: new Map<string, Tensor>([
        ['logits', tensor('float32', [set.count, reference.manifest.classes], found.logits)],
        ['predictions', tensor('int64', [set.count], found.predictions)],
        ['accuracy', tensor('float64', [], Float64Array.of(found.accuracy))],
        ['loss', tensor('float64', [], Float64Array.of(found.loss))],
      ]),
      inputs: ['synthetic/cifar-10-batches-bin/test_batch.bin'],
      notes: [
        `accuracy ${(100 * found.accuracy).toFixed(2)} % of ${set.count} images, ${answers} classes predicted`,
      ],
    };
  },
  expect({ reference }) {
    const { file } = reference.stage('metric');
    const arrays = reference.arrays(file);
    return Object.entries(rules).map(([name, rule]) => ({
      name,
      rule: rule(arrayOf(arrays, `f32/${name}`, file)),
    }));
  },
};

/**
 * The synthetic test set in batches with a short last one, through the network whose last layer PyTorch
 * fitted: every logit, every single prediction, accuracy and mean loss.
 */
export const metric: Stage = () => [sameStart, evaluation];
