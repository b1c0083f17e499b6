/** Settings that a run is told and does not heed: with the recipe's own values nobody would see it. */
import type { StreamSettings } from '../../../src/data/trainingStream.ts';
import { readCheckpoint } from '../../../src/train/checkpoint/checkpoint.ts';
import { recipe, type TrainingSettings } from '../../../src/train/settings/trainingSettings.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Settings = typeof import('../../../src/train/settings/trainingSettings.ts');
type Decisions = typeof import('../../../src/train/epochDecisions.ts');
type Stream = typeof import('../../../src/data/trainingStream.ts');
type Files = typeof import('../../../src/train/checkpoint/checkpointFiles.ts');
type Evaluate = typeof import('../../../src/train/evaluation/evaluate.ts');
type EvaluateTrained = typeof import('../../../src/train/evaluation/evaluateTrained.ts');

const run = (at: string): Look & { at: string } => ({ model: 'preresnet110', stage: 'epochs', at });

type Setting = keyof TrainingSettings;

const asRecipe = (settings: TrainingSettings, name: Setting): TrainingSettings => ({
  ...settings,
  [name]: recipe[name],
});

/** The update rule and the schedule as the recipe has this setting. */
const ignored = (name: Setting): Plant =>
  inModule<Settings>('train/settings/trainingSettings.ts', (real) => ({
    optimizerOf: (settings) => real.optimizerOf(asRecipe(settings, name)),
    scheduleOf: (settings) => real.scheduleOf(asRecipe(settings, name)),
  }));

const joins = (joined: (epoch: number, settings: TrainingSettings) => boolean): Plant =>
  inModule<Decisions>('train/epochDecisions.ts', () => ({
    joinsAverage: (epoch, settings) => epoch + 1 >= settings.swaStart && joined(epoch, settings),
  }));

const withoutWorkers = <S extends StreamSettings>(settings: S): S => ({ ...settings, workers: 0 });

export const settings: Family = {
  name: 'settings ignored',
  looks: [{ model: 'preresnet110', stage: 'epochs' }],
  bugs: [
    {
      name: '--momentum ignored',
      people: 'write 0.9 where the setting belongs',
      plants: [ignored('momentum')],
      cause: { reads: "momentum is 0.9, the reference's another", says: /momentum/ },
      caught: run('epoch 1/conv1.weight'),
    },
    {
      name: '--wd ignored',
      people: 'leave the optimiser its default',
      plants: [ignored('wd')],
      cause: {
        reads: "weight decay is the recipe's 5e-4, the reference's another",
        says: /weight decay/,
      },
      caught: run('epoch 1/conv1.weight'),
    },
    {
      name: '--lr-init ignored',
      people: 'write 0.05 where the setting belongs',
      plants: [ignored('lrInit')],
      cause: {
        reads: "the rate begins at 0.05, the reference's elsewhere",
        says: /begins at|lr_init/,
      },
      caught: run('learning rate'),
    },
    {
      name: '--swa-lr ignored',
      people: 'write 0.01 where the setting belongs',
      plants: [ignored('swaLr')],
      cause: causes.rateEnd,
      caught: run('learning rate'),
    },
    {
      name: '--num-workers ignored',
      people: 'load in one process, whatever is asked for',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          openTrainingStream: (s) => real.openTrainingStream(withoutWorkers(s)),
          resumeTrainingStream: (s, ...rest) =>
            real.resumeTrainingStream(withoutWorkers(s), ...rest),
        })),
      ],
      cause: {
        reads: 'augmented by other draws: of one process, not of workers',
        says: /worker|other draws/,
      },
      caught: run('images'),
    },
    {
      name: '--swa-c-epochs ignored',
      people: 'average after every epoch',
      plants: [joins(() => true)],
      cause: {
        reads: 'a model is averaged after every epoch',
        says: /every epoch|each epoch|cycle/,
      },
      caught: run('models averaged'),
    },
    {
      name: 'cycles counted from the first epoch',
      people: 'ask (epoch + 1) % c, which fits where swa_start is a multiple of c',
      plants: [joins((epoch, { swaCEpochs }) => (epoch + 1) % swaCEpochs === 0)],
      cause: causes.otherEpochsJoin,
      caught: run('models averaged'),
    },
    {
      name: 'cycles counted from the first epoch, from 0',
      people: 'ask epoch % c',
      plants: [joins((epoch, { swaCEpochs }) => epoch % swaCEpochs === 0)],
      cause: causes.otherEpochsJoin,
      caught: run('models averaged'),
    },
    {
      name: '--eval-freq ignored',
      people: 'evaluate every fifth epoch',
      plants: [
        inModule<Decisions>('train/epochDecisions.ts', (real) => ({
          isEvaluated: (epoch, s) => real.isEvaluated(epoch, asRecipe(s, 'evalFreq')),
          isAverageEvaluated: (epoch, s) => real.isAverageEvaluated(epoch, asRecipe(s, 'evalFreq')),
        })),
      ],
      cause: {
        reads: 'tested after other epochs',
        says: /(tested|evaluated|told) after|other epochs/,
      },
      caught: run('testLoss is told'),
    },
    {
      name: '--batch-size ignored in evaluation',
      people: 'test in batches of 128',
      plants: [
        inModule<Evaluate>('train/evaluation/evaluate.ts', (real) => ({
          evaluate: (programs, state, set, _, preparation) =>
            real.evaluate(programs, state, set, recipe.batchSize, preparation),
        })),
      ],
      cause: causes.testBatches,
      caught: run('test labels'),
    },
    {
      name: "eval in the recipe's batches",
      people: 'forget what the checkpoint says of its run',
      plants: [
        inModule<EvaluateTrained>('train/evaluation/evaluateTrained.ts', (real) => ({
          evaluateTrained: (backend, trained, test, batchSize = recipe.batchSize) =>
            real.evaluateTrained(backend, trained, test, batchSize),
        })),
      ],
      cause: causes.testBatches,
      caught: run('eval of swa weights: labels'),
    },
    {
      name: 'eval --batch-size ignored',
      people: "take the run's, whatever is asked for",
      plants: [
        inModule<EvaluateTrained>('train/evaluation/evaluateTrained.ts', (real) => ({
          evaluateTrained: (backend, trained, test) => real.evaluateTrained(backend, trained, test),
        })),
      ],
      cause: causes.testBatches,
      caught: run('eval of raw weights: labels'),
    },
    {
      name: 'checkpoints sorted as text',
      people: 'sort file names: 9 comes behind 10',
      plants: [
        inModule<Files>('train/checkpoint/checkpointFiles.ts', (real) => ({
          newestCheckpoint: (dir) => {
            const [last] = real
              .listCheckpoints(dir)
              .sort((a, b) => (a.path < b.path ? 1 : a.path > b.path ? -1 : 0));
            const { path } = last;
            return { path, checkpoint: readCheckpoint(path), skipped: [] };
          },
        })),
      ],
      cause: {
        reads: 'resumed from an earlier step: another checkpoint',
        says: /checkpoint|earlier (step|epoch)|from step|begins at/,
      },
      caught: run('resumed: labels'),
    },
  ],
};
