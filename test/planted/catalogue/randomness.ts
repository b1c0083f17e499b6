/** Mistakes in what is drawn, in which order, and from where. */
import { nextStep, type TrainingStep } from '../../../src/data/trainingStream.ts';
import { type Tensor, type TensorMap, zeros } from '../../../src/tensor/tensor.ts';
import type { EpochPlan } from '../../../src/torch/dataLoader.ts';
import { fillU32, forkGenerator, manualSeed } from '../../../src/torch/generator.ts';
import type { InitStep } from '../../../src/torch/initialise.ts';
import { rand } from '../../../src/torch/uniform.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Ahead = typeof import('../../../src/train/stepsAhead.ts');
type Augmenting = typeof import('../../../src/data/augmentation.ts');
type Bernoulli = typeof import('../../../src/torch/bernoulli.ts');
type Checkpoints = typeof import('../../../src/train/checkpoint.ts');
type Dropout = typeof import('../../../src/torch/dropout.ts');
type Generator = typeof import('../../../src/torch/generator.ts');
type Initialise = typeof import('../../../src/torch/initialise.ts');
type Integers = typeof import('../../../src/torch/integers.ts');
type Passes = typeof import('../../../src/torch/dataLoader.ts');
type Stream = typeof import('../../../src/data/trainingStream.ts');
type Uniform = typeof import('../../../src/torch/uniform.ts');

const { fround } = Math;

/** The constructor's draws changed, one by one. */
const drawing = (change: (step: InitStep, shape: readonly number[]) => InitStep): Plant =>
  inModule<Initialise>('torch/initialise.ts', (real) => ({
    initialise: (plan, g) =>
      real.initialise(
        { ...plan, steps: plan.steps.map((s) => change(s, plan.shapes.get(s.name)!)) },
        g,
      ),
  }));

const epochs = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'epochs', at });
const loss = (at: string): Look & { at: string } => ({ model: 'vgg16', stage: 'loss', at });

export const initialisation: Family = {
  name: 'initialisation',
  looks: [{ model: 'vgg16', stage: 'loss' }],
  bugs: [
    {
      name: 'convolutions scaled by fan-in',
      people: "take He's usual form where the authors count outputs",
      plants: [
        drawing((step, shape) =>
          step.kind === 'normal' ? { ...step, std: Math.sqrt(2 / (9 * shape[1])) } : step,
        ),
      ],
      caught: loss('features.0.weight'),
    },
    {
      name: 'convolutions drawn uniformly',
      people: 'take kaiming_uniform for kaiming_normal',
      plants: [
        drawing((step) =>
          step.kind === 'normal'
            ? { kind: 'uniform', name: step.name, bound: Math.sqrt(3) * step.std }
            : step,
        ),
      ],
      caught: loss('features.0.weight'),
    },
    {
      name: 'linear layers scaled by fan-out',
      people: 'take the first dimension for the inputs, as in [in, out]',
      plants: [
        drawing((step, shape) =>
          step.kind === 'uniform' && step.name.startsWith('classifier') && shape.length === 2
            ? { ...step, bound: 1 / Math.sqrt(shape[0]) }
            : step,
        ),
      ],
      caught: loss('classifier.6.weight'),
    },
    {
      name: 'biases of linear layers zero',
      people: "keep Keras's default",
      plants: [
        drawing((step) =>
          step.kind === 'uniform' && /^classifier.*bias$/.test(step.name)
            ? { ...step, bound: 0 }
            : step,
        ),
      ],
      caught: loss('classifier.1.bias'),
    },
    {
      name: "Glorot's uniform for linear layers",
      people: "keep TensorFlow's default",
      plants: [
        drawing((step, shape) =>
          step.kind === 'uniform' && step.name.startsWith('classifier') && shape.length === 2
            ? { ...step, bound: Math.sqrt(6 / (shape[0] + shape[1])) }
            : step,
        ),
      ],
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'defaults that are overwritten later not drawn',
      people: 'skip what seems to be thrown away: the stream moves on by it all the same',
      plants: [
        inModule<Initialise>('torch/initialise.ts', (real) => ({
          initialise: (plan, g) => {
            const last = new Map(plan.steps.map((step, i) => [step.name, i]));
            const steps = plan.steps.filter((step, i) => last.get(step.name) === i);
            return real.initialise({ ...plan, steps }, g);
          },
        })),
      ],
      caught: loss('features.0.weight'),
    },
    {
      name: 'uniform numbers of 32 bits',
      people: 'divide a draw by 2³² where PyTorch keeps 24 bits',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const draws = real.asDraws(out);
            fillU32(g, draws);
            for (let i = 0; i < out.length; i++) out[i] = draws[i] * 2 ** -32 * (to - from) + from;
          },
        })),
      ],
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'uniform numbers rounded twice',
      people: 'multiply, round, add, where one fused operation rounds once',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const low = fround(from);
            const width = fround(fround(to) - low);
            const units = real.rand(g, out.length);
            for (let i = 0; i < out.length; i++) out[i] = fround(units[i] * width) + low;
          },
        })),
      ],
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'uniform numbers computed in float64',
      people: 'round to float32 at the very end',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const units = real.rand(g, out.length);
            for (let i = 0; i < out.length; i++) out[i] = units[i] * (to - from) + from;
          },
        })),
      ],
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'the seed off by one',
      people: 'seed with seed + rank, ranks counted from 1',
      plants: [
        inModule<Generator>('torch/generator.ts', (real) => ({
          manualSeed: (seed) => real.manualSeed(BigInt(seed) + 1n),
        })),
      ],
      caught: loss('features.0.weight'),
    },
  ],
};

const zeroed = (tensors: TensorMap): TensorMap =>
  new Map(
    [...tensors].map(([name, { shape }]): [string, Tensor] => [name, zeros('float32', shape)]),
  );

/** Two passes of the same loader with one order. */
const orderOnce = (): ((plan: EpochPlan) => EpochPlan) => {
  let order: Int32Array | undefined;
  return (plan) => {
    order ??= plan.order;
    return order.length === plan.order.length ? { ...plan, order } : plan;
  };
};

export const randomness: Family = {
  name: 'randomness',
  looks: [{ model: 'vgg16bn', stage: 'epochs' }],
  bugs: [
    {
      name: 'order drawn once for all epochs',
      people: 'shuffle before the loop',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => {
          const once = orderOnce();
          return { startEpoch: (g, options) => once(real.startEpoch(g, options)) };
        }),
      ],
      caught: epochs('labels'),
    },
    {
      name: 'not shuffled',
      people: 'forget shuffle=True',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => ({
          startEpoch: (g, options) => {
            const plan = real.startEpoch(g, options);
            return { ...plan, order: plan.order.map((_, i) => i) };
          },
        })),
      ],
      caught: epochs('labels'),
    },
    {
      name: 'drawn with replacement',
      people: 'take a random image each time',
      plants: [
        inModule<Integers>('torch/integers.ts', (real) => ({
          randperm: (g, n) => Int32Array.from({ length: n }, () => real.randint(g, 0, n)),
        })),
      ],
      caught: epochs('labels'),
    },
    {
      name: 'shuffled from the end',
      people: "write Durstenfeld's loop, which swaps backwards",
      plants: [
        inModule<Integers>('torch/integers.ts', (real) => ({
          randperm: (g, n) => {
            const order = Int32Array.from({ length: n }, (_, i) => i);
            for (let i = n - 1; i > 0; i--) {
              const other = real.randint(g, 0, i + 1);
              [order[i], order[other]] = [order[other], order[i]];
            }
            return order;
          },
        })),
      ],
      caught: epochs('labels'),
    },
    {
      name: "the loader's own seed not drawn",
      people: 'overlook that a pass draws one seed for its workers and one for its order',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => ({
          startEpoch: (g, options) => {
            const seed = real.startEpoch(g, { ...options, shuffle: false }).baseSeed;
            return real.planEpoch({ baseSeed: seed, samplerSeed: seed }, options);
          },
        })),
      ],
      caught: epochs('labels'),
    },
    {
      name: "an evaluation's draw overlooked",
      people: 'think that a pass without shuffling draws nothing',
      plants: [inModule<Passes>('torch/dataLoader.ts', () => ({ evaluationPassDraws: () => {} }))],
      caught: epochs('labels'),
    },
    {
      name: 'the second model not drawn',
      people: 'copy the averaged model instead of building it',
      plants: [
        inModule<Initialise>('torch/initialise.ts', () => ({ skipInitialisation: () => {} })),
      ],
      caught: epochs('labels'),
    },
    {
      name: 'flip drawn as an integer',
      people: 'call randint(0, 2)',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count) => {
            const draws = new Uint32Array(real.drawsPerImage * count);
            fillU32(forkGenerator(g), draws);
            const { top, left } = real.drawAugmentation(g, count);
            return { top, left, flip: top.map((_, i) => draws[real.drawsPerImage * i] % 2) };
          },
        })),
      ],
      caught: epochs('images'),
    },
    {
      name: 'the last crop offset never drawn',
      people: 'call randint(0, 8), whose end is open',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count) => {
            const drawn = real.drawAugmentation(g, count);
            return {
              ...drawn,
              top: drawn.top.map((t) => t % 8),
              left: drawn.left.map((l) => l % 8),
            };
          },
        })),
      ],
      caught: epochs('images'),
    },
    {
      name: 'one crop and flip for a whole batch',
      people: 'augment on the device, batch by batch',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count) => {
            const { flip, top, left } = real.drawAugmentation(g, count);
            return { flip: flip.fill(flip[0]), top: top.fill(top[0]), left: left.fill(left[0]) };
          },
        })),
      ],
      caught: epochs('images'),
    },
    {
      name: 'dropout drawn in float32',
      people: 'spend one draw an element where bernoulli_ spends two',
      plants: [
        inModule<Bernoulli>('torch/bernoulli.ts', () => ({
          bernoulli: (g, size, p) => Uint8Array.from(rand(g, size), (x) => (x < p ? 1 : 0)),
        })),
      ],
      caught: epochs('mask0'),
    },
    {
      name: 'dropout keeps what it should drop',
      people: 'turn the mask round; at one half it looks alike',
      plants: [
        inModule<Dropout>('torch/dropout.ts', (real) => ({
          dropoutMask: (g, p, size) => real.dropoutMask(g, p, size).map((kept) => 1 - kept),
        })),
      ],
      caught: epochs('mask0'),
    },
    {
      name: "dropout's mask reused from step to step",
      people: 'draw it when the layer is made',
      plants: [
        inModule<Dropout>('torch/dropout.ts', (real) => {
          const drawn = new Map<number, Uint8Array>();
          return {
            dropoutMask: (g, p, size) => {
              const fresh = real.dropoutMask(g, p, size);
              const mask = drawn.get(size) ?? fresh;
              drawn.set(size, mask);
              return mask;
            },
          };
        }),
      ],
      caught: epochs('mask0'),
    },
    {
      name: 'drawing ahead moves the generator',
      people: 'prefetch on the generator itself instead of a fork',
      plants: [
        inModule<Ahead>('train/stepsAhead.ts', () => ({
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
      caught: epochs('resumed: labels'),
    },
    {
      name: 'momenta not restored on resuming',
      people: "save the model and not the optimiser's state",
      plants: [
        inModule<Checkpoints>('train/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => {
            const checkpoint = real.readCheckpoint(path);
            return { ...checkpoint, momenta: zeroed(checkpoint.momenta) };
          },
        })),
      ],
      caught: epochs('resumed: loss@11'),
    },
    {
      name: 'sums of the epoch not restored on resuming',
      people: 'save between epochs only, or forget the running totals',
      plants: [
        inModule<Checkpoints>('train/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => ({
            ...real.readCheckpoint(path),
            sums: { loss: 0, correct: 0 },
          }),
        })),
      ],
      caught: epochs('resumed: trainLoss of epoch 4'),
    },
    {
      name: 'the average not restored on resuming',
      people: 'save the trained model only',
      plants: [
        inModule<Checkpoints>('train/checkpoint.ts', (real) => ({
          readCheckpoint: (path) => {
            const checkpoint = real.readCheckpoint(path);
            return checkpoint.position.step > 0
              ? { ...checkpoint, averaged: 0, average: undefined }
              : checkpoint;
          },
        })),
      ],
      caught: epochs('resumed: models averaged'),
    },
  ],
};
