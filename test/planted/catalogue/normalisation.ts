/** Mistakes in batch norm. */
import type { AdjointRule } from '../../../src/autodiff/rule.ts';
import {
  add,
  batchNorm,
  div,
  mul,
  perChannel,
  reduceMean,
  relu,
  sqrt,
  sub,
} from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import type { ForwardPass, Module } from '../../../src/nn/module.ts';
import { sizeOf } from '../../../src/tensor/shape.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Plant } from '../plant.ts';

type ImageOps = typeof import('../../../src/autodiff/imageOps.ts');
type Layers = typeof import('../../../src/nn/layers.ts');

/** Whether a node reads this parameter or buffer directly. */
const reads = (node: Node, name: string): boolean =>
  node.inputs.some((x) => x.op === 'input' && x.params.name === name);

/** Batch norm written differently; `y` is what it computes in the pass. */
const norm = (change: (real: Layers['batchNormLayer']) => Layers['batchNormLayer']): Plant =>
  inModule<Layers>('nn/layers.ts', (real) => ({ batchNormLayer: change(real.batchNormLayer) }));

/** The real layer with its buffers updated otherwise. */
const updatedOtherwise = (
  suffix: string,
  change: (next: Node, old: Node, x: Node, pass: ForwardPass) => Node,
): Plant =>
  norm((real) => (layer, channels, options) => {
    const module = real(layer, channels, options);
    const forward: Module['forward'] = (x, pass) => {
      const y = module.forward(x, pass);
      const name = `${layer}.${suffix}`;
      const next = pass.bufferUpdates.get(name);
      if (next !== undefined) {
        pass.bufferUpdates.set(name, change(next, pass.state.get(name)!, x, pass));
      }
      return y;
    };
    return { ...module, forward };
  });

const images = [0, 2, 3];
const perImageCount = (x: Node): number => sizeOf(x.shape) / x.shape[1];

type NormRule = AdjointRule<'batchNorm'>;

/** Another adjoint for the batch norm of one layer. */
const normAdjoint = (
  layer: string,
  change: (grads: readonly (Node | null)[], y: Parameters<NormRule>[0]) => (Node | null)[],
): Plant =>
  inModule<ImageOps>('autodiff/imageOps.ts', (real, took) => ({
    imageOps: {
      ...real.imageOps,
      batchNorm: (y, dy) => {
        const grads = (real.imageOps.batchNorm as NormRule)(y, dy);
        if (!reads(y, `${layer}.weight`)) return grads;
        took();
        return change(grads, y);
      },
    },
  }));

export const normalisation: Family = {
  name: 'batch norm',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16bn', stage: 'forward' },
    { model: 'vgg16bn', stage: 'backward' },
  ],
  bugs: [
    {
      name: 'ReLU before batch norm',
      people: 'write conv, ReLU, norm',
      plants: [
        inGraph((node, { inputs: [x, weight, bias, mean, variance] }) =>
          node.op === 'batchNorm' && reads(node, 'features.1.weight')
            ? batchNorm(relu(x), { weight, bias, mean, variance }, node.params.eps)
            : undefined,
        ),
      ],
      cause: {
        reads: 'the ReLU stands before the batch norm',
        says: /ReLU.*(applied|before|input)|before.*ReLU/i,
      },
      caught: { model: 'vgg16bn', stage: 'forward', at: 'features.1' },
    },
    {
      name: 'batch norm with eps 1e-3',
      people: "keep Keras's default",
      plants: [norm((real) => (layer, channels, o) => real(layer, channels, { ...o, eps: 1e-3 }))],
      cause: {
        reads: "eps is 1e-3, the reference's 1e-5",
        says: /\beps(ilon)? (1\.0e-3|0\.001)\b/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/y' },
    },
    {
      name: 'eps added behind the root',
      people: 'divide by σ + ε',
      plants: [
        inGraph((node, { inputs: [x, weight, bias, mean, variance] }) => {
          if (node.op !== 'batchNorm') return undefined;
          const deviation = add(sqrt(variance), node.params.eps);
          const scaled = mul(sub(x, perChannel(mean)), perChannel(div(weight, deviation)));
          return add(scaled, perChannel(bias));
        }),
      ],
      cause: { reads: 'eps is added behind the root', says: /epsilon is added to the deviation/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/y' },
    },
    {
      name: 'normalised by the unbiased variance',
      people: 'call var() with its default, n − 1',
      plants: [
        inGraph((node, { inputs: [x, weight, bias, mean, variance], program }) => {
          if (node.op !== 'batchNorm' || program.name !== 'training step') return undefined;
          if (!reads(node, 'features.4.weight')) return undefined;
          const count = perImageCount(x);
          const unbiased = mul(variance, count / (count - 1));
          return batchNorm(x, { weight, bias, mean, variance: unbiased }, node.params.eps);
        }),
      ],
      cause: {
        reads: 'normalised by the unbiased variance, n − 1',
        says: /unbiased|the deviation of n − 1/,
      },
      caught: { model: 'vgg16bn', stage: 'backward', at: 'features.4' },
    },
    {
      name: 'variance as E[x²] − E[x]²',
      people: 'save a pass over the data; where the mean is far from zero nothing is left of it',
      plants: [
        inGraph((node, { inputs: [x, weight, bias, mean] }) => {
          if (node.op !== 'batchNorm' || node.inputs[4].op === 'input') return undefined;
          const variance = sub(reduceMean(mul(x, x), images), mul(mean, mean));
          return batchNorm(x, { weight, bias, mean, variance }, node.params.eps);
        }),
      ],
      cause: {
        reads: 'the variance is E[x²] − E[x]², of which rounding leaves little',
        says: /E\[x²\]|cancel/,
      },
      caught: {
        model: 'vgg16',
        stage: 'ops',
        at: 'batchNorm of a mean of 1024 deviations/y',
      },
    },
    {
      name: 'running variance biased',
      people: 'keep the variance that normalised, n instead of n − 1',
      plants: [
        updatedOtherwise('running_var', (next, old, x, pass) => {
          const count = perImageCount(x);
          const keep = pass.statisticsShares?.keep ?? 0.9;
          const kept = mul(old, keep);
          return add(kept, mul(sub(next, kept), (count - 1) / count));
        }),
      ],
      cause: {
        reads: 'the running variance is taken from the biased one, divided by n',
        says: /\bbiased|by n, not by n − 1|by the variance of n,/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/running_var' },
    },
    {
      name: "batch norm's momentum read the other way",
      people: "give PyTorch's 0.1 to Keras's or Paddle's momentum: they keep that share",
      plants: [
        norm((real) => (layer, channels, o) => real(layer, channels, { ...o, momentum: 0.9 })),
      ],
      cause: { reads: "momentum is 0.9, the reference's 0.1", says: /momentum.*\b0\.9\b/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/running_mean' },
    },
    {
      name: 'scale and shift swapped',
      people: 'load gamma and beta in the wrong order',
      plants: [
        inGraph((node, { inputs: [x, weight, bias, mean, variance] }) =>
          node.op === 'batchNorm'
            ? batchNorm(x, { weight: bias, bias: weight, mean, variance }, node.params.eps)
            : undefined,
        ),
      ],
      cause: {
        reads: 'weight and bias of the norm are swapped',
        says: /(weight and bias|bias and weight|scale and shift).*swapped|swapped.*(weight|bias)/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/y' },
    },
    {
      name: 'running variance kept as a deviation',
      people: 'store σ where σ² belongs',
      plants: [updatedOtherwise('running_var', (next) => sqrt(next))],
      cause: {
        reads: "the root of the reference's: a deviation, not a variance",
        says: /deviation|(square )?root of/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'batchNorm in training/running_var' },
    },
    {
      name: 'evaluation by batch statistics',
      people: 'forget eval()',
      plants: [
        inGraph((node, { inputs: [x, weight, bias], program }) => {
          if (node.op !== 'batchNorm' || program.name !== 'evaluation') return undefined;
          const mean = reduceMean(x, images);
          const centred = sub(x, perChannel(mean));
          const variance = reduceMean(mul(centred, centred), images);
          return batchNorm(x, { weight, bias, mean, variance }, node.params.eps);
        }),
      ],
      cause: causes.batchStatistics,
      caught: { model: 'vgg16bn', stage: 'forward', at: 'features.1' },
    },
    {
      name: 'batch norm differentiated as if its statistics were constants',
      people: 'write the adjoint of evaluation',
      plants: [normAdjoint('features.4', ([x, weight, bias]) => [x, weight, bias, null, null])],
      cause: {
        reads: 'the gradient takes mean and variance for constants',
        says: /statistics|constant|mean and variance/,
      },
      caught: { model: 'vgg16bn', stage: 'backward', at: 'features.4' },
    },
    {
      name: "the variance's part left out of batch norm's adjoint",
      people: 'stop the derivation one term early',
      plants: [
        normAdjoint('features.11', ([x, weight, bias, mean]) => [x, weight, bias, mean, null]),
      ],
      cause: { reads: "the variance's part of the gradient is missing", says: /variance/ },
      caught: { model: 'vgg16bn', stage: 'backward', at: 'features.11' },
    },
    {
      name: "batch norm's scale gradient without 1/σ",
      people: 'sum dy·(x − μ)',
      plants: [
        normAdjoint('features.8', ([x, weight, ...rest], y) => {
          const variance = y.inputs[4];
          return [x, mul(weight!, sqrt(add(variance, 1e-5))), ...rest];
        }),
      ],
      cause: {
        reads: 'the gradient of its weight is not divided by the deviation',
        says: /deviation|σ/,
      },
      caught: { model: 'vgg16bn', stage: 'backward', at: 'features.8' },
    },
  ],
};
