import { readCifar10 } from '../../data/cifar.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { evaluate, evaluationPrograms } from '../../train/evaluate.ts';
import { compareMaps, type Judge } from '../compareMaps.ts';
import { arrayOf } from '../reference.ts';
import { startingWeights, storedWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { type Check, check } from '../verdict.ts';

/** How each part of the metric is judged. */
const judges: Readonly<Record<string, (d: Parameters<Judge>[1]) => Check>> = {
  accuracy: ({ maxAbs }) => check('equal', maxAbs === 0 ? 0 : 1, 0),
  predictions: ({ maxAbs }) => check('equal', maxAbs === 0 ? 0 : 1, 0),
  loss: ({ meanAbs }) => check('mean', meanAbs, tolerances.meanAbs),
  logits: ({ relativeL2 }) => check('relative l2', relativeL2, tolerances.relativeL2),
};

/**
 * The synthetic test set in batches with a short last one, through the network whose last layer PyTorch
 * fitted: accuracy, mean loss, every logit and every single prediction.
 */
export const metric: Stage = async (context) => {
  const { backend, reference } = context;
  const { file, settings, images } = reference.stage('metric');
  const arrays = reference.arrays(file);
  const { weights, verdict } = startingWeights(context);
  const withFit: TensorMap = new Map<string, Tensor>([...weights, ...storedWeights(arrays)]);
  const set = { ...readCifar10(reference.syntheticDirectory(), 'test'), count: images };
  const state = await backend.upload(withFit);
  const programs = evaluationPrograms(backend, reference.model);
  const { batch } = settings;
  const found = await evaluate(programs, state, set, batch, reference.preparation);
  await programs.dispose();
  await backend.free(state);

  const ours = new Map<string, Tensor>([
    ['accuracy', tensor('float64', [], Float64Array.of(found.accuracy))],
    ['loss', tensor('float64', [], Float64Array.of(found.loss))],
    ['logits', tensor('float32', [set.count, reference.manifest.classes], found.logits)],
    ['predictions', tensor('int64', [set.count], found.predictions)],
  ]);
  const pytorch = new Map(
    [...ours.keys()].map((name) => [name, arrayOf(arrays, `f32/${name}`, file)]),
  );
  const answers = new Set(found.predictions).size;
  const judged = compareMaps(ours, pytorch, (name, d) => [judges[name](d)]).map((v) =>
    v.name === 'predictions' && answers < 2
      ? { ...v, problem: 'one class for every input: equal answers prove nothing' }
      : v,
  );
  return {
    verdicts: [verdict, ...judged],
    ours,
    pytorch,
    inputs: ['synthetic/cifar-10-batches-bin/test_batch.bin'],
    notes: [
      `accuracy ${(100 * found.accuracy).toFixed(2)} % of ${set.count} images, ${answers} classes predicted`,
    ],
  };
};
