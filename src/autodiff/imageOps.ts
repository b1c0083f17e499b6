import {
  add,
  avgPool2d,
  avgPool2dGrad,
  div,
  maxPool2dGrad,
  mul,
  perChannel,
  reduceSum,
  sqrt,
  sub,
} from '../ir/build.ts';
import { type AdjointTable, neverAsked } from './rule.ts';

const overImages = [0, 2, 3];

export const imageOps: AdjointTable<
  'maxPool2d' | 'maxPool2dGrad' | 'avgPool2d' | 'avgPool2dGrad' | 'batchNorm'
> = {
  // dx is dy at the winner of each window, 0 elsewhere
  maxPool2d: ({ inputs: [x], params }, dy) => [maxPool2dGrad(x, dy, params)],
  maxPool2dGrad: neverAsked,
  // each place of a window gets dy / (window size)
  avgPool2d: ({ inputs: [x], params }, dy) => [
    avgPool2dGrad(dy, { ...params, inputSize: [x.shape[2], x.shape[3]] }),
  ],
  // linear, and the average pool is its transpose
  avgPool2dGrad: ({ params: { inputSize: _, ...window } }, ddx) => [avgPool2d(ddx, window)],
  // y = (x − μ)·s·γ + β with s = 1/√(σ² + ε), all by channel:
  //   dx = dy·s·γ   dγ = Σ dy·(x − μ)·s   dβ = Σ dy   dμ = −Σ dy·s·γ   dσ² = −½ dγ·γ·s²
  batchNorm: ({ inputs: [x, weight, , mean, variance], params: { eps } }, dy) => {
    const deviation = sqrt(add(variance, eps));
    const scale = div(weight, deviation);
    const dBias = reduceSum(dy, overImages);
    const centred = sub(x, perChannel(mean));
    const dWeight = div(reduceSum(mul(dy, centred), overImages), deviation);
    return [
      mul(dy, perChannel(scale)),
      dWeight,
      dBias,
      mul(mul(dBias, scale), -1),
      mul(div(mul(dWeight, weight), add(variance, eps)), -0.5),
    ];
  },
};
