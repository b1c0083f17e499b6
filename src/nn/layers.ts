/** PyTorch's layers: its names, its layouts, its default initialisation. */
import {
  add,
  avgPool2d,
  batchNorm,
  conv2d,
  input,
  matmul,
  maxPool2d,
  mul,
  pair,
  perChannel,
  reduceMean,
  relu,
  reshape,
  sub,
} from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { Pair } from '../ir/op.ts';
import { sizeOf } from '../tensor/shape.ts';
import { defaultLayerSteps } from '../torch/initialise.ts';
import { type ForwardPass, type Module, recorded, type StateSpec, stateNode } from './module.ts';

const stateless = (layer: string, forward: Module['forward']): Module => ({
  state: [],
  init: [],
  dropouts: [],
  forward: recorded(layer, forward),
});

/** A weight and, usually, a bias with PyTorch's default draws (nn.Linear, nn.Conv2d: reset_parameters). */
function weighted(
  layer: string,
  shape: readonly number[],
  forward: Module['forward'],
  bias = true,
): Module {
  const [weightStep, biasStep] = defaultLayerSteps(layer, shape);
  const weight: StateSpec = { name: `${layer}.weight`, shape, role: 'parameter' };
  const added: StateSpec = { name: `${layer}.bias`, shape: [shape[0]], role: 'parameter' };
  return {
    state: bias ? [weight, added] : [weight],
    init: bias ? [weightStep, biasStep] : [weightStep],
    dropouts: [],
    forward: recorded(layer, forward),
  };
}

export interface ConvOptions {
  readonly kernel: number | Pair;
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
  readonly bias?: boolean;
}

/** nn.Conv2d: weight [out, in, kh, kw]. */
export const convLayer = (
  layer: string,
  channels: { readonly from: number; readonly to: number },
  { kernel, stride = 1, padding = 0, bias = true }: ConvOptions,
): Module =>
  weighted(
    layer,
    [channels.to, channels.from, ...pair(kernel)],
    (x, pass) => {
      const params = { stride: pair(stride), padding: pair(padding) };
      const y = conv2d(x, stateNode(pass, `${layer}.weight`), params);
      return bias ? add(y, perChannel(stateNode(pass, `${layer}.bias`))) : y;
    },
    bias,
  );

/** nn.Linear: weight [out, in], x [n, in] → x·Wᵀ + b. */
export const linearLayer = (
  layer: string,
  features: { readonly from: number; readonly to: number },
): Module =>
  weighted(layer, [features.to, features.from], (x, pass) =>
    add(
      matmul(x, stateNode(pass, `${layer}.weight`), { transposeB: true }),
      stateNode(pass, `${layer}.bias`),
    ),
  );

export const reluLayer = (layer: string): Module => stateless(layer, relu);

export const maxPoolLayer = (layer: string, size: number | Pair): Module =>
  stateless(layer, (x) =>
    maxPool2d(x, { kernel: pair(size), stride: pair(size), padding: pair(0) }),
  );

/** nn.AvgPool2d(size), windows side by side. */
export const avgPoolLayer = (layer: string, size: number | Pair): Module =>
  stateless(layer, (x) =>
    avgPool2d(x, { kernel: pair(size), stride: pair(size), padding: pair(0) }),
  );

/** [n, c, h, w] → [n, c·h·w]; PyTorch's `x.view(x.size(0), -1)`, which has no name of its own. */
export const flatten: Module = {
  state: [],
  init: [],
  dropouts: [],
  forward: (x) => reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
};

/**
 * nn.Dropout on [n, width]: in training x · mask / (1 − p) with a mask from the host's random stream.
 * In evaluation, and in a pass without dropout, it is the identity.
 */
export const dropoutLayer = (layer: string, p: number, width: number): Module => ({
  state: [],
  init: [],
  dropouts: [{ layer, p, width }],
  forward: recorded(layer, (x, pass) => {
    if (pass.mode === 'eval' || !pass.dropout) return x;
    const mask = input(`mask${pass.masks.length}`, x.shape) as Node<'input'>;
    pass.masks.push(mask);
    return mul(x, mul(mask, 1 / (1 - p)));
  }),
});

export interface BatchNormOptions {
  readonly eps?: number;
  /** Share of the new batch in the running statistics (PyTorch's meaning of momentum). */
  readonly momentum?: number;
}

/**
 * nn.BatchNorm2d. Training normalises by the batch's mean and biased variance and moves the running
 * statistics towards them, the running variance towards the *unbiased* one; evaluation normalises by
 * the running statistics. (aten/src/ATen/native/Normalization.cpp)
 */
export function batchNormLayer(
  layer: string,
  channels: number,
  { eps = 1e-5, momentum = 0.1 }: BatchNormOptions = {},
): Module {
  const name = (what: string): string => `${layer}.${what}`;
  const forward = (x: Node, pass: ForwardPass): Node => {
    const state = (what: string): Node => stateNode(pass, name(what));
    const affine = { weight: state('weight'), bias: state('bias') };
    if (pass.mode === 'eval') {
      const running = { mean: state('running_mean'), variance: state('running_var') };
      return batchNorm(x, { ...affine, ...running }, eps);
    }
    const overImages = [0, 2, 3];
    const mean = reduceMean(x, overImages);
    const centred = sub(x, perChannel(mean));
    const variance = reduceMean(mul(centred, centred), overImages);
    const count = sizeOf(x.shape) / channels;
    const { keep, take } = pass.statisticsShares ?? { keep: 1 - momentum, take: momentum };
    const move = (old: Node, batch: Node): Node => add(mul(old, keep), mul(batch, take));
    pass.bufferUpdates.set(name('running_mean'), move(state('running_mean'), mean));
    pass.bufferUpdates.set(
      name('running_var'),
      move(state('running_var'), mul(variance, count / (count - 1))),
    );
    return batchNorm(x, { ...affine, mean, variance }, eps);
  };
  return {
    state: [
      { name: name('weight'), shape: [channels], role: 'parameter' },
      { name: name('bias'), shape: [channels], role: 'parameter' },
      { name: name('running_mean'), shape: [channels], role: 'buffer' },
      { name: name('running_var'), shape: [channels], role: 'buffer' },
    ],
    init: [
      { kind: 'ones', name: name('weight') },
      { kind: 'zeros', name: name('bias') },
      { kind: 'zeros', name: name('running_mean') },
      { kind: 'ones', name: name('running_var') },
    ],
    dropouts: [],
    forward: recorded(layer, forward),
  };
}
