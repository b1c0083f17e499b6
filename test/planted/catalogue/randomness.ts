/** Mistakes in what is drawn while a run goes on, in which order, and from where. */
import type { EpochPlan } from '../../../src/torch/dataLoader.ts';
import { fillU32, forkGenerator } from '../../../src/torch/generator.ts';
import { rand } from '../../../src/torch/uniform.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look } from '../plant.ts';

type Augmenting = typeof import('../../../src/data/augmentation.ts');
type Bernoulli = typeof import('../../../src/torch/bernoulli.ts');
type Dropout = typeof import('../../../src/torch/dropout.ts');
type Initialise = typeof import('../../../src/torch/initialise.ts');
type Integers = typeof import('../../../src/torch/integers.ts');
type Passes = typeof import('../../../src/torch/dataLoader.ts');

const epochs = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'epochs', at });

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
      cause: {
        reads: 'every epoch has the order of the first',
        says: /first epoch|epoch 1|same order/,
      },
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
      cause: { reads: 'not shuffled: images in their own order', says: /not shuffled|0, 1, 2/ },
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
      cause: { reads: 'drawn with replacement: some images twice', says: /replacement|twice/ },
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
      cause: {
        reads: 'the same draws, shuffled from the end',
        says: /from the end|another shuffle|same draws/,
      },
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
      cause: causes.otherDraws,
      caught: epochs('labels'),
    },
    {
      name: "an evaluation's draw overlooked",
      people: 'think that a pass without shuffling draws nothing',
      plants: [inModule<Passes>('torch/dataLoader.ts', () => ({ evaluationPassDraws: () => {} }))],
      cause: causes.otherDraws,
      caught: epochs('labels'),
    },
    {
      name: 'the second model not drawn',
      people: 'copy the averaged model instead of building it',
      plants: [
        inModule<Initialise>('torch/initialise.ts', () => ({ skipInitialisation: () => {} })),
      ],
      cause: causes.otherDraws,
      caught: epochs('labels'),
    },
    {
      name: 'flip drawn as an integer',
      people: 'call randint(0, 2)',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count, first) => {
            const draws = new Uint32Array(real.drawsPerImage * count);
            fillU32(forkGenerator(g), draws);
            const { top, left } = real.drawAugmentation(g, count, first);
            return { top, left, flip: top.map((_, i) => draws[real.drawsPerImage * i] % 2) };
          },
        })),
      ],
      cause: { reads: 'other images are flipped', says: /flip|columns.*reverse/ },
      caught: epochs('images'),
    },
    {
      name: 'the last crop offset never drawn',
      people: 'call randint(0, 8), whose end is open',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count, first) => {
            const drawn = real.drawAugmentation(g, count, first);
            return {
              ...drawn,
              top: drawn.top.map((t) => t % 8),
              left: drawn.left.map((l) => l % 8),
            };
          },
        })),
      ],
      cause: { reads: 'cropped elsewhere: the last offset never occurs', says: /crop/ },
      caught: epochs('images'),
    },
    {
      name: 'one crop and flip for a whole batch',
      people: 'augment on the device, batch by batch',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          drawAugmentation: (g, count, first) => {
            const { flip, top, left } = real.drawAugmentation(g, count, first);
            return { flip: flip.fill(flip[0]), top: top.fill(top[0]), left: left.fill(left[0]) };
          },
        })),
      ],
      cause: { reads: 'one crop and flip for all images of a batch', says: /crop|flip/ },
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
      cause: { reads: 'another dropout mask: one draw an element, not two', says: /draw/ },
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
      cause: {
        reads: 'the mask is turned round: it keeps what it should drop',
        says: /turned round|complement|inver|keeps what/,
      },
      caught: epochs('mask0'),
    },
    {
      name: "dropout's mask reused from step to step",
      people: 'draw it when the layer is made',
      plants: [
        inModule<Dropout>('torch/dropout.ts', (real) => {
          const drawn = new Map<string, Uint8Array>();
          let calls = 0;
          return {
            dropoutMask: (g, p, size) => {
              // The network has two such layers, and each keeps its own.
              const key = `${size} in layer ${calls++ % 2}`;
              const fresh = real.dropoutMask(g, p, size);
              const mask = drawn.get(key) ?? fresh;
              drawn.set(key, mask);
              return mask;
            },
          };
        }),
      ],
      cause: {
        reads: 'the mask of the first step in every step',
        says: /first step|step 1|same mask|reused|stale|step before/,
      },
      caught: epochs('mask0'),
    },
    {
      name: 'one seed for all workers',
      people: 'forget to add the number of the worker',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => ({
          batchGenerator: ({ ...plan }, k, draws, main) => {
            const worker = plan.workers === 0 ? 0 : k % plan.workers;
            const baseSeed = plan.baseSeed - BigInt(worker);
            return real.batchGenerator({ ...plan, baseSeed }, k, draws, main);
          },
        })),
      ],
      cause: { reads: 'every worker has the seed of the first', says: /seed|worker/ },
      caught: { model: 'preresnet110', stage: 'epochs', at: 'images' },
    },
    {
      name: 'workers numbered from 1',
      people: 'seed with base_seed + worker + 1',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => ({
          batchGenerator: (plan, k, draws, main) =>
            real.batchGenerator({ ...plan, baseSeed: plan.baseSeed + 1n }, k, draws, main),
        })),
      ],
      cause: { reads: 'every worker has the seed of the next one', says: /seed|worker/ },
      caught: { model: 'preresnet110', stage: 'epochs', at: 'images' },
    },
    {
      name: 'workers seeded once for all epochs',
      people: 'keep workers alive between passes',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', (real) => {
          let first: bigint | undefined;
          return {
            batchGenerator: (plan, k, draws, main) => {
              // A run without workers, before this one, has no seed for them.
              if (plan.workers > 0) first ??= plan.baseSeed;
              return real.batchGenerator(
                { ...plan, baseSeed: first ?? plan.baseSeed },
                k,
                draws,
                main,
              );
            },
          };
        }),
      ],
      cause: {
        reads: "every epoch's workers have the seeds of the first",
        says: /seed|worker|epoch/,
      },
      caught: { model: 'preresnet110', stage: 'epochs', at: 'images' },
    },
  ],
};
