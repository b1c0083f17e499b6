/** Mistakes in what a run carries over when it is stopped, or draws ahead. */
import { nextStep, type TrainingStep } from '../../../src/data/trainingStream.ts';
import { type Tensor, type TensorMap, zeros } from '../../../src/tensor/tensor.ts';
import { manualSeed, skipU32 } from '../../../src/torch/generator.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look } from '../plant.ts';

type Ahead = typeof import('../../../src/train/loop/stepsAhead.ts');
type Checkpoints = typeof import('../../../src/train/checkpoint/checkpoint.ts');
type Schedule = typeof import('../../../src/optim/schedule.ts');
type Settings = typeof import('../../../src/train/settings/trainingSettings.ts');
type Stream = typeof import('../../../src/data/trainingStream.ts');

const epochs = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'epochs', at });

const zeroed = (tensors: TensorMap): TensorMap =>
  new Map(
    [...tensors].map(([name, { shape }]): [string, Tensor] => [name, zeros('float32', shape)]),
  );

/** What is resumed is another program of the same names and shapes: it must not be taken for the first one. */
function withoutDecayOnceResumed() {
  let resumed = false;
  return [
    inModule<Stream>('data/trainingStream.ts', (real) => ({
      openTrainingStream: (settings) => {
        resumed = false;
        return real.openTrainingStream(settings);
      },
      resumeTrainingStream: (settings, position, where) => {
        resumed = true;
        return real.resumeTrainingStream(settings, position, where);
      },
    })),
    inModule<Settings>('train/settings/trainingSettings.ts', (real) => ({
      optimizerOf: (settings) => ({
        ...real.optimizerOf(settings),
        ...(resumed && { weightDecay: 0 }),
      }),
    })),
  ];
}

export const resuming: Family = {
  name: 'resuming',
  looks: [{ model: 'vgg16bn', stage: 'epochs' }],
  bugs: [
    {
      name: 'drawing ahead moves the generator',
      people: 'prefetch on the generator itself instead of a fork',
      plants: [
        inModule<Ahead>('train/loop/stepsAhead.ts', () => ({
          stepsAhead: (stream) => {
            let drawn: TrainingStep | undefined;
            return {
              take: () => {
                const step = drawn ?? nextStep(stream);
                drawn = undefined;
                return step;
              },
              prepare: () => {
                drawn = nextStep(stream);
              },
            };
          },
        })),
      ],
      cause: {
        reads: 'a batch is lost on resuming',
        says: /lost|missing|skipped|fewer|elements against/,
      },
      caught: epochs('resumed: batch sizes'),
    },
    {
      name: 'the generator not restored on resuming',
      people: 'seed again',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          resumeTrainingStream: (settings, position, where) => {
            const stream = real.resumeTrainingStream(settings, position, where);
            return { ...stream, generator: manualSeed(stream.generator.seed) };
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: epochs('resumed: images'),
    },
    {
      name: 'a resumed epoch begun anew',
      people: 'keep the epoch in a checkpoint and not the step',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          resumeTrainingStream: (settings, position, where) => ({
            ...real.resumeTrainingStream(settings, position, where),
            step: 0,
          }),
        })),
      ],
      cause: {
        reads: 'the epoch begins anew: its first steps again',
        says: /anew|again|first step|begins/,
      },
      caught: epochs('resumed: labels'),
    },
    {
      name: 'momenta not restored on resuming',
      people: "save the model and not the optimiser's state",
      plants: [
        inModule<Checkpoints>('train/checkpoint/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => {
            const checkpoint = real.readCheckpoint(path);
            return { ...checkpoint, momenta: zeroed(checkpoint.momenta) };
          },
        })),
      ],
      cause: causes.noMomentum,
      caught: epochs('resumed: epoch 4/features.0.weight'),
    },
    {
      name: 'no weight decay on resuming',
      people: 'make the optimizer of a resumed run by its defaults',
      plants: withoutDecayOnceResumed(),
      cause: causes.noWeightDecay,
      caught: epochs('resumed: loss@13'),
    },
    {
      name: 'sums of the epoch not restored on resuming',
      people: 'save between epochs only, or forget the running totals',
      plants: [
        inModule<Checkpoints>('train/checkpoint/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => ({
            ...real.readCheckpoint(path),
            sums: { loss: 0, correct: 0 },
          }),
        })),
      ],
      cause: {
        reads: 'the mean is of the steps after resuming only',
        says: /(only|steps) (after|since|of the)|resum/,
      },
      caught: epochs('resumed: trainLoss of epoch 4'),
    },
    {
      name: 'the average not restored on resuming',
      people: 'save the trained model only',
      plants: [
        inModule<Checkpoints>('train/checkpoint/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => {
            const checkpoint = real.readCheckpoint(path);
            return checkpoint.position.step > 0
              ? { ...checkpoint, averaged: 0, average: undefined }
              : checkpoint;
          },
        })),
      ],
      cause: {
        reads: 'the average begins anew: fewer models',
        says: /fewer|anew|less than the reference/,
      },
      caught: epochs('resumed: models averaged'),
    },
    {
      name: 'the schedule restarted on resuming',
      people: 'make the scheduler anew, and count epochs from there',
      plants: (() => {
        let from = 0;
        return [
          inModule<Stream>('data/trainingStream.ts', (real) => ({
            resumeTrainingStream: (settings, position, where) => {
              from = where === undefined ? from : position.epoch;
              return real.resumeTrainingStream(settings, position, where);
            },
          })),
          inModule<Schedule>('optim/schedule.ts', ({ learningRate: real }) => ({
            learningRate: (epoch, s) => real(Math.max(0, epoch - from), s),
          })),
        ];
      })(),
      cause: { reads: 'the schedule begins anew', says: /anew|from the first|restart|late/ },
      caught: epochs('resumed: learning rate'),
    },
    {
      name: 'the generator restored one draw late',
      people: 'save its state after the first draw of a step',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          resumeTrainingStream: (settings, position, where) => {
            const stream = real.resumeTrainingStream(settings, position, where);
            if (where !== undefined) skipU32(stream.generator, 1);
            return stream;
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: epochs('resumed: images'),
    },
    {
      name: 'the order drawn anew on resuming',
      people: 'begin the pass again and skip to the step',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          resumeTrainingStream: (settings, position, where) => ({
            ...real.resumeTrainingStream(settings, position, where),
            pass: undefined,
          }),
        })),
      ],
      cause: causes.otherDraws,
      caught: epochs('resumed: labels'),
    },
    {
      name: 'running statistics not restored on resuming',
      people: 'save parameters and forget buffers',
      plants: [
        inModule<Checkpoints>('train/checkpoint/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => {
            const checkpoint = real.readCheckpoint(path);
            const kept = new Map(checkpoint.weights);
            for (const [name, { shape }] of checkpoint.weights) {
              if (name.endsWith('.running_mean')) kept.set(name, zeros('float32', shape));
            }
            return checkpoint.position.step > 0 ? { ...checkpoint, weights: kept } : checkpoint;
          },
        })),
      ],
      cause: {
        reads: 'running statistics begin anew on resuming',
        says: /anew|restored|start|momentum/,
      },
      caught: epochs('resumed: epoch 4/features.1.running_mean'),
    },
  ],
};
