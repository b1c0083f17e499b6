/** Mistakes in the running statistics of single norms: nothing in training depends on them, and so nothing shows them. */
import { add, mul, sqrt, sub } from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { sizeOf } from '../../../src/tensor/shape.ts';
import { type CauseToRead, causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant, type PlantedBug } from '../plant.ts';

type Layers = typeof import('../../../src/nn/layers.ts');

interface Moved {
  readonly next: Node;
  readonly old: Node;
  /** Values of a channel in the batch. */
  readonly count: number;
}

/** One buffer moved otherwise in a training step. */
const moved = (buffer: string, change: (by: Moved) => Node): Plant =>
  inModule<Layers>('nn/layers.ts', (real, took) => ({
    batchNormLayer: (layer, channels, options) => {
      const module = real.batchNormLayer(layer, channels, options);
      return {
        ...module,
        forward: (x, pass) => {
          const y = module.forward(x, pass);
          const next = pass.bufferUpdates.get(buffer);
          if (next === undefined || !buffer.startsWith(`${layer}.`)) return y;
          if (pass.statisticsShares !== undefined) return y;
          took();
          const old = pass.state.get(buffer)!;
          pass.bufferUpdates.set(buffer, change({ next, old, count: sizeOf(x.shape) / channels }));
          return y;
        },
      };
    },
  }));

/** What the batch gave: next = 0.9·old + 0.1·batch. */
const batch = ({ next, old }: Moved): Node => mul(sub(next, mul(old, 0.9)), 10);

const withShare = (by: Moved, share: number): Node =>
  add(mul(by.old, 1 - share), mul(batch(by), share));

interface Kind {
  readonly name: string;
  readonly people: string;
  readonly change: (by: Moved) => Node;
  readonly cause: CauseToRead;
  readonly buffers: readonly (readonly [Look['model'], string])[];
}

const kinds: readonly Kind[] = [
  {
    name: 'never updated',
    people: 'write the result into a copy, where it is lost',
    change: ({ old }) => old,
    cause: causes.notUpdated,
    buffers: [
      ['preresnet110', 'layer1.0.bn1.running_mean'],
      ['preresnet110', 'layer3.0.bn3.running_mean'],
      ['preresnet110', 'layer2.0.bn2.running_var'],
      ['vgg16bn', 'features.8.running_mean'],
      ['vgg16bn', 'features.28.running_var'],
    ],
  },
  {
    name: 'from the biased variance',
    people: 'keep the variance that normalised, n instead of n − 1',
    change: (by) => {
      const kept = mul(by.old, 0.9);
      return add(kept, mul(sub(by.next, kept), (by.count - 1) / by.count));
    },
    cause: causes.biased,
    buffers: [
      ['preresnet110', 'layer3.0.bn2.running_var'],
      ['preresnet110', 'bn.running_var'],
      ['vgg16bn', 'features.41.running_var'],
    ],
  },
  {
    name: 'by a momentum of 0.9',
    people: "give PyTorch's 0.1 to a library that keeps that share",
    change: (by) => withShare(by, 0.9),
    cause: { reads: "momentum is 0.9, the reference's 0.1", says: /momentum.*\b0\.9\b/ },
    buffers: [
      ['preresnet110', 'layer3.0.bn2.running_mean'],
      ['vgg16bn', 'features.18.running_mean'],
      ['vgg16bn', 'features.18.running_var'],
    ],
  },
  {
    name: 'by a momentum of 0.01',
    people: "keep Keras's 0.99",
    change: (by) => withShare(by, 0.01),
    cause: { reads: "momentum is 0.01, the reference's 0.1", says: /momentum.*\b0\.01\b/ },
    buffers: [
      ['preresnet110', 'layer1.0.bn3.running_mean'],
      ['preresnet110', 'bn.running_mean'],
      ['vgg16bn', 'features.31.running_var'],
    ],
  },
  {
    name: 'moved twice a step',
    people: 'pass a batch through the layer twice, once to look',
    change: (by) => withShare(by, 1 - 0.9 ** 2),
    cause: {
      reads: 'moved twice a step: a momentum of 0.19',
      says: /twice|momentum.*\b0\.19\b/,
    },
    buffers: [
      ['preresnet110', 'layer1.0.bn2.running_mean'],
      ['vgg16bn', 'features.15.running_mean'],
    ],
  },
  {
    name: 'kept as a deviation',
    people: 'store σ where σ² belongs',
    change: ({ next }) => sqrt(next),
    cause: {
      reads: "the root of the reference's: a deviation, not a variance",
      says: /deviation|root of/,
    },
    buffers: [['vgg16bn', 'features.35.running_var']],
  },
];

export const runningStatistics: Family = {
  name: 'running statistics of one norm',
  looks: [
    { model: 'preresnet110', stage: 'epochs' },
    { model: 'vgg16bn', stage: 'epochs' },
  ],
  bugs: kinds.flatMap(({ name, people, change, cause, buffers }) =>
    buffers.map(
      ([model, buffer]): PlantedBug => ({
        name: `${buffer} ${name}`,
        people,
        plants: [moved(buffer, change)],
        cause,
        caught: { model, stage: 'epochs', at: `epoch 1/${buffer}` },
      }),
    ),
  ),
};
