import { releasing } from '../../backends/holding.ts';
import { readCifar10 } from '../../data/cifar.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { bytesOf, scalar, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { evaluate, evaluationPrograms } from '../../train/evaluation/evaluate.ts';
import type { Expectation, Rule } from '../judge/expectation.ts';
import { tolerances } from '../judge/tolerances.ts';
import { arrayOf } from '../reference/reference.ts';
import { startingWeights, storedWeights } from '../reference/seedWeights.ts';
import { type FedBatch, fedBatch } from './fed.ts';
import { digestRows, sameStart } from './sameStart.ts';
import type { Part, Stage } from './stage.ts';
import { watchedBackend } from './watchedBackend.ts';

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

interface Batch {
  readonly labels: string;
  readonly images: string;
}

/** What is evaluated, as it is fed: a wrong normalisation or a lost batch is no matter of the network's answers. */
const digestsOf = (batches: readonly Batch[]): [string, Tensor][] =>
  batches.length === 0
    ? []
    : (['labels', 'images'] as const).map((part) => [
        part,
        digestRows(batches.map((batch) => batch[part])),
      ]);

const evaluation: Part = {
  async run(context) {
    const { backend, reference } = context;
    const { file, settings, images, batches: recorded = [] } = reference.stage('metric');
    const weights: TensorMap = new Map<string, Tensor>([
      ...startingWeights(context),
      ...storedWeights(reference.arrays(file)),
    ]);
    const fed: Batch[] = [];
    const batches: FedBatch[] = [];
    const watched = watchedBackend(backend, (_, inputs) => {
      const digest = (name: string): string => sha256Hex(bytesOf(inputs.get(name)!));
      fed.push({ labels: digest('labels'), images: digest('images') });
      batches.push(fedBatch(inputs));
    });
    const set = { ...readCifar10(reference.syntheticDirectory(), 'test'), count: images };
    const found = await releasing(async (on) => {
      const state = await on(watched).upload(weights);
      const programs = evaluationPrograms(on(watched), reference.model);
      return evaluate(programs, state, set, settings.batch, reference.preparation);
    });
    const answers = new Set(found.predictions).size;
    return {
      recording: new Map<string, Tensor>([
        ...(recorded.length === 0 ? [] : digestsOf(fed)),
        ['logits', tensor('float32', [set.count, reference.manifest.classes], found.logits)],
        ['predictions', tensor('int64', [set.count], found.predictions)],
        ['accuracy', scalar(found.accuracy)],
        ['loss', scalar(found.loss)],
      ]),
      fed: {
        prefix: '',
        from: 0,
        steps: [],
        refreshes: [],
        tests: [
          { images: 'images', labels: 'labels', batches, batch: settings.batch, count: images },
        ],
      },
      inputs: ['synthetic/cifar-10-batches-bin/test_batch.bin'],
      notes: [
        `accuracy ${(100 * found.accuracy).toFixed(2)} % of ${set.count} images, ${answers} classes predicted`,
      ],
    };
  },
  expect({ reference }) {
    const { file, batches = [] } = reference.stage('metric');
    const arrays = reference.arrays(file);
    return [
      ...digestsOf(batches).map(
        ([name, to]): Expectation => ({
          name,
          rule: {
            kind: 'equality',
            to,
            row: (i) => `batch ${i + 1}`,
            what: `${batches.length} batches, by SHA-256`,
          },
        }),
      ),
      ...Object.entries(rules).map(([name, rule]) => ({
        name,
        rule: rule(arrayOf(arrays, `f32/${name}`, file)),
      })),
    ];
  },
};

/**
 * The synthetic test set in batches with a short last one, through the network whose last layer PyTorch
 * fitted: what is fed, every logit, every single prediction, accuracy and mean loss.
 */
export const metric: Stage = () => [sameStart, evaluation];
