/** Mistakes in the loss. */
import {
  add,
  constant,
  exp,
  logSoftmax,
  matmul,
  mul,
  oneHot,
  reduceSum,
  sub,
} from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Plant } from '../plant.ts';

type Loss = typeof import('../../../src/nn/crossEntropy.ts');

const loss = (crossEntropy: (logits: Node, labels: Node) => Node): Plant =>
  inModule<Loss>('nn/crossEntropy.ts', () => ({ crossEntropy }));

/** −Σ target·log softmax · share. */
const against = (logits: Node, target: Node, share: number): Node =>
  mul(reduceSum(mul(target, logSoftmax(logits)), [0, 1]), -share);

const hot = (logits: Node, labels: Node): Node => oneHot(labels, logits.shape[1]);

/** What is wrong with the loss only where an epoch ends. */
export const shortBatches: Family = {
  name: 'short batches',
  looks: [{ model: 'vgg16bn', stage: 'epochs' }],
  bugs: [
    {
      name: 'short batch divided by the full batch size',
      people: 'divide by the setting, not by the images',
      plants: [
        loss((x, labels) => {
          const [n] = x.shape;
          // An epoch of the small run ends with 4 images after batches of 8.
          return against(x, hot(x, labels), 1 / (n === 4 ? 8 : n));
        }),
      ],
      cause: {
        reads: 'the short batch is divided by the size of a full one: half',
        says: /full (one|batch)|\b8\b.*\b4\b|^0\.5 ×/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'loss@2' },
    },
  ],
};

export const losses: Family = {
  name: 'loss',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'loss' },
    { model: 'vgg16', stage: 'backward' },
  ],
  bugs: [
    {
      name: 'sum instead of mean',
      people: "take a library's other reduction",
      plants: [loss((x, labels) => against(x, hot(x, labels), 1))],
      cause: causes.summedOverBatch,
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'mean over images and classes',
      people: 'call mean() on the whole matrix',
      plants: [loss((x, labels) => against(x, hot(x, labels), 1 / (x.shape[0] * x.shape[1])))],
      cause: { reads: 'averaged over the classes too', says: /classes|averaged over/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'a right loss with the gradient of the sum',
      people: 'divide the reported loss only',
      plants: [
        inGraph((_, { named, same }) =>
          named('classifier.6.output.grad') ? mul(same(), 4) : undefined,
        ),
      ],
      cause: causes.summedOverBatch,
      caught: { model: 'vgg16', stage: 'backward', at: 'loss' },
    },
    {
      name: 'label off by one',
      people: 'count classes from 1',
      plants: [
        inGraph((node, { same, given }) => {
          if (node.op !== 'oneHot') return undefined;
          const { classes } = node.params;
          // Behind the last class lies nothing: its row of zeros is what indexing past the end gives.
          const next = Float32Array.from({ length: classes * classes }, (_, i) =>
            i % classes === Math.floor(i / classes) + 1 ? 1 : 0,
          );
          return matmul(same(), given(next, [classes, classes]));
        }),
      ],
      cause: {
        reads: 'the label is off by one',
        says: /label.*off by (one|1)|labels? .*(shifted|next)/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'softmax applied twice',
      people: 'give probabilities to a loss that wants logits',
      plants: [loss((x, labels) => against(exp(logSoftmax(x)), hot(x, labels), 1 / x.shape[0]))],
      cause: {
        reads: 'softmax is applied twice',
        says: /softmax.*twice|twice.*softmax|(log-)?softmax of (a |the )?(softmax|probabilities)/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'no logarithm',
      people: 'sum the probability of the right class',
      plants: [
        loss((x, labels) =>
          mul(reduceSum(mul(hot(x, labels), exp(logSoftmax(x))), [0, 1]), -1 / x.shape[0]),
        ),
      ],
      cause: {
        reads: 'the logarithm is missing: probabilities are added',
        says: /logarithm|probabilit|softmax, not log-softmax/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'log-softmax without subtracting the maximum',
      people: 'write log(exp(x) / Σ exp(x)): infinite from 89 on',
      plants: [
        inGraph((node, { inputs: [x] }) => {
          if (node.op !== 'logSoftmax') return undefined;
          const e = exp(x);
          // 0 wherever e is finite, NaN where it has overflowed.
          return add(logSoftmax(x), sub(e, e));
        }),
      ],
      cause: {
        reads: 'NaN where exp overflows: the maximum was not subtracted',
        says: /overflow|maximum/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'logSoftmax of large logits/y' },
    },
    {
      name: 'label smoothing left on',
      people: "keep a newer recipe's default of 0.1",
      plants: [
        loss((x, labels) => {
          const [n, classes] = x.shape;
          const smooth = add(mul(hot(x, labels), 0.9), constant(0.1 / classes));
          return against(x, smooth, 1 / n);
        }),
      ],
      cause: { reads: 'label smoothing of 0.1', says: /label smoothing/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
    {
      name: 'divided by the accumulation steps too',
      people: 'scale the loss for two steps and accumulate one',
      plants: [loss((x, labels) => against(x, hot(x, labels), 1 / (2 * x.shape[0])))],
      cause: { reads: "half the reference's", says: /half|^0\.5 ×/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'crossEntropy/loss' },
    },
  ],
};
