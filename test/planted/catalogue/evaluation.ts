/** Mistakes in what is counted and how it is averaged. */

import type { ImageSet } from '../../../src/data/cifar.ts';
import type { Batch } from '../../../src/data/loader.ts';
import { add, argMax } from '../../../src/ir/build.ts';
import { type Normalisation, resNetPreparation } from '../../../src/nn/models/preparation.ts';
import type { Evaluation } from '../../../src/train/evaluation/evaluate.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Look, type Plant } from '../plant.ts';

type Evaluate = typeof import('../../../src/train/evaluation/evaluate.ts');

/** What an evaluation found, told otherwise. */
const told = (
  tell: (found: Evaluation, set: ImageSet, batchSize: number) => Partial<Evaluation>,
): Plant =>
  inModule<Evaluate>('train/evaluation/evaluate.ts', (real) => ({
    evaluate: async (programs, state, set, batchSize, preparation) => {
      const found = await real.evaluate(programs, state, set, batchSize, preparation);
      return { ...found, ...tell(found, set, batchSize) };
    },
  }));

type Loading = typeof import('../../../src/data/loader.ts');

/** Other test images than there are. */
const fed = (
  batches: (
    real: Loading['evaluationBatches'],
    ...from: Parameters<Loading['evaluationBatches']>
  ) => Generator<Batch>,
): Plant =>
  inModule<Loading>('data/loader.ts', ({ evaluationBatches: real }) => ({
    evaluationBatches: (...from) => batches(real, ...from),
  }));

const normalisedBy = (normalisation: Normalisation): Plant =>
  fed((real, set, size, preparation) => real(set, size, { ...preparation, normalisation }));

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

const logitsOf = ({ logits }: Evaluation, { count }: ImageSet, i: number): Float32Array => {
  const width = logits.length / count;
  return logits.subarray(i * width, (i + 1) * width);
};

/** Cross-entropy of one image, and whether it is recognised. */
function lossOf(found: Evaluation, set: ImageSet, i: number): number {
  const row = logitsOf(found, set, i);
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0)) - row[set.labels[i]];
}
const isRight = ({ predictions }: Evaluation, { labels }: ImageSet, i: number): number =>
  Number(predictions[i]) === labels[i] ? 1 : 0;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

/** The mean over batches of the mean over each. */
const byBatch = (count: number, batchSize: number, of: (i: number) => number): number =>
  mean(
    range(Math.ceil(count / batchSize)).map((k) =>
      mean(range(Math.min(batchSize, count - k * batchSize)).map((i) => of(k * batchSize + i))),
    ),
  );

const metric = (at: string): Look & { at: string } => ({ model: 'vgg16', stage: 'metric', at });

export const evaluation: Family = {
  name: 'evaluation',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'metric' },
  ],
  bugs: [
    {
      name: 'test images normalised by the constants of another data set',
      people: "take CIFAR-10's own means where the authors took ImageNet's",
      plants: [normalisedBy(resNetPreparation.normalisation)],
      cause: causes.normalisedOtherwise,
      caught: metric('images'),
    },
    {
      name: 'test images not normalised',
      people: 'give transforms to the training set only',
      plants: [normalisedBy({ mean: [0, 0, 0], std: [1, 1, 1] })],
      cause: { reads: 'not normalised', says: /normalised/ },
      caught: metric('images'),
    },
    {
      name: 'the short last batch of the test set dropped',
      people: 'set drop_last on both loaders',
      plants: [
        fed(function* (real, set, size, preparation) {
          for (const batch of real(set, size, preparation)) {
            if (batch.order.length === size) yield batch;
          }
        }),
      ],
      cause: causes.shortBatchDropped,
      caught: metric('labels'),
    },
    {
      name: 'accuracy averaged over batches',
      people: 'take the mean of means: a short batch counts like a full one',
      plants: [
        told((found, set, batch) => ({
          accuracy: byBatch(set.count, batch, (i) => isRight(found, set, i)),
        })),
      ],
      cause: causes.meanOfMeans,
      caught: metric('accuracy'),
    },
    {
      name: 'loss averaged without batch sizes',
      people: 'add up mean losses and divide by their number',
      plants: [
        told((found, set, batch) => ({
          loss: byBatch(set.count, batch, (i) => lossOf(found, set, i)),
        })),
      ],
      cause: causes.meanOfMeans,
      caught: metric('loss'),
    },
    {
      name: 'loss of the last batch only',
      people: 'assign where they should add',
      plants: [
        told((found, set, batch) => {
          const first = batch * Math.floor((set.count - 1) / batch);
          return { loss: mean(range(set.count - first).map((i) => lossOf(found, set, first + i))) };
        }),
      ],
      cause: { reads: 'the loss of the last batch only', says: /last batch/ },
      caught: metric('loss'),
    },
    {
      name: 'accuracy by whole-number division',
      people: 'come from Python 2',
      plants: [told(({ accuracy }) => ({ accuracy: Math.trunc(accuracy) }))],
      cause: { reads: 'divided as whole numbers', says: /whole|truncated|rounded down|zero/ },
      caught: metric('accuracy'),
    },
    {
      name: 'accuracy divided by full batches',
      people: 'multiply the number of batches by their size',
      plants: [
        told(({ accuracy }, { count }, batch) => ({
          accuracy: (accuracy * count) / (batch * Math.ceil(count / batch)),
        })),
      ],
      cause: {
        reads: 'divided by the number of full batches times their size',
        says: /full batch|batches times/,
      },
      caught: metric('accuracy'),
    },
    {
      name: 'among the best five counted as right',
      people: 'report top-5',
      plants: [
        told((found, set) => ({
          accuracy: mean(
            range(set.count).map((i) => {
              const row = logitsOf(found, set, i);
              return row.filter((x) => x > row[set.labels[i]]).length < 5 ? 1 : 0;
            }),
          ),
        })),
      ],
      cause: { reads: 'the right class among the first five: top-5', says: /top-5|five/ },
      caught: metric('accuracy'),
    },
    {
      name: 'the last of equal logits predicted',
      people: 'compare with ≥ in an argmax of their own',
      plants: [
        inGraph((node, { inputs: [x], given }) => {
          if (node.op !== 'argMax') return undefined;
          const classes = x.shape[x.shape.length - 1];
          const later = Float32Array.from({ length: classes }, (_, i) => i * 1e-6);
          return argMax(add(x, given(later, [classes])));
        }),
      ],
      cause: { reads: 'of equal logits the last wins', says: /tie|equal/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'argMax with ties/y' },
    },
    {
      name: 'accuracy of the last batch only',
      people: 'assign where they should add',
      plants: [
        told((found, set, batch) => {
          const first = batch * Math.floor((set.count - 1) / batch);
          const rest = range(set.count - first);
          return { accuracy: mean(rest.map((i) => isRight(found, set, first + i))) };
        }),
      ],
      cause: { reads: 'the accuracy of the last batch only', says: /last batch/ },
      caught: metric('accuracy'),
    },
  ],
};
