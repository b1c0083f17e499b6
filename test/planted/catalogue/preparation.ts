/** Mistakes that a model or a data set other than the first one shows: each wants its images and classes its own way. */
import { models } from '../../../src/nn/models/index.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look } from '../plant.ts';

type Datasets = typeof import('../../../src/train/dataset.ts');
type Evaluate = typeof import('../../../src/train/evaluation/evaluate.ts');
type EvaluateTrained = typeof import('../../../src/train/evaluation/evaluateTrained.ts');
type Reading = typeof import('../../../src/data/cifar.ts');
type Stream = typeof import('../../../src/data/trainingStream.ts');

const run = (at: string): Look & { at: string } => ({ model: 'preresnet110', stage: 'epochs', at });

const { preparation } = models.vgg16;

export const preparations: Family = {
  name: "another model's and another set's data",
  looks: [{ model: 'preresnet110', stage: 'epochs' }],
  bugs: [
    {
      name: "trained on images prepared as the first model's",
      people: 'keep the constants in the loader and not in the model',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          openTrainingStream: (s) => real.openTrainingStream({ ...s, preparation }),
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: run('images'),
    },
    {
      name: "normalised as the first model's, drawn as its own",
      people: 'take the transforms from one place and the constants from another',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          openTrainingStream: (s) => {
            const { normalisation } = preparation;
            return real.openTrainingStream({
              ...s,
              preparation: { ...s.preparation, normalisation },
            });
          },
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: run('images'),
    },
    {
      name: "a resumed run's images prepared as the first model's",
      people: 'build the loader anew with its defaults',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          resumeTrainingStream: (s, ...rest) =>
            real.resumeTrainingStream({ ...s, preparation }, ...rest),
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: run('resumed: images'),
    },
    {
      name: "tested on images prepared as the first model's",
      people: 'change the transform of one loader and not of the other',
      plants: [
        inModule<Evaluate>('train/evaluation/evaluate.ts', (real) => ({
          evaluate: (programs, state, set, batchSize) =>
            real.evaluate(programs, state, set, batchSize, preparation),
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: run('test images'),
    },
    {
      name: "eval prepares images as the first model's",
      people: 'write a second script for evaluation',
      plants: [
        inModule<EvaluateTrained>('train/evaluation/evaluateTrained.ts', (real) => ({
          evaluateTrained: (backend, trained, ...rest) => {
            const settings = { ...trained.settings, model: 'vgg16' as const };
            return real.evaluateTrained(backend, { ...trained, settings }, ...rest);
          },
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: run('eval of swa weights: images'),
    },
    {
      name: 'ten classes for CIFAR-100',
      people: 'leave num_classes at its default',
      plants: [inModule<Datasets>('train/dataset.ts', () => ({ classCount: () => 10 }))],
      cause: causes.otherDraws,
      caught: run('conv1.weight'),
    },
    {
      name: 'coarse labels of CIFAR-100',
      people: 'take the first of the two label bytes',
      plants: [
        inModule<Reading>('data/cifar.ts', (real) => ({
          readCifar: (layout, ...rest) => real.readCifar({ ...layout, labelAt: 0 }, ...rest),
        })),
      ],
      cause: { reads: 'labels are the coarse ones', says: /coarse/ },
      caught: run('labels'),
    },
  ],
};
