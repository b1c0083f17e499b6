import { add, div, mul, sqrt, sub } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { Parameter, Rule, Updated } from './rule.ts';

export interface AdamSettings {
  /** Decay of the mean of gradients, and of the mean of their squares. */
  readonly betas: readonly [number, number];
  /** Added to the root of the mean square. */
  readonly eps: number;
  readonly weightDecay: number;
}

const slots = ['exp_avg', 'exp_avg_sq'] as const;

const corrections = ({ betas: [beta1, beta2] }: AdamSettings, lr: number, t: number) => ({
  stepSize: lr / (1 - beta1 ** t),
  root: Math.sqrt(1 - beta2 ** t),
});

/**
 *     m ← m + (g − m)(1 − β₁)        v ← v·β₂ + g²(1 − β₂)        w ← w − stepSize · m / (√v / root + ε)
 *
 * with stepSize = lr / (1 − β₁ᵗ) and root = √(1 − β₂ᵗ). (Kingma and Ba 2015, algorithm 1; the order of the
 * roundings is that of torch/optim/adam.py)
 */
function step(
  { betas: [beta1, beta2], eps }: AdamSettings,
  { weight, gradient }: Parameter,
  { exp_avg: m, exp_avg_sq: v }: Readonly<Record<string, Node>>,
  { stepSize, root }: Readonly<Record<string, Node>>,
): Updated {
  const mean = add(m, mul(sub(gradient, m), 1 - beta1));
  const square = add(mul(v, beta2), mul(mul(gradient, gradient), 1 - beta2));
  const scale = add(div(sqrt(square), root), eps);
  return {
    weight: sub(weight, mul(div(mean, scale), stepSize)),
    slots: { exp_avg: mean, exp_avg_sq: square },
  };
}

/** torch.optim.Adam: weight decay is an L2 penalty added to the gradient, d = g + λ·w. */
export const adam: Rule<AdamSettings> = {
  slots,
  scalars: corrections,
  update: (settings, { weight, gradient }, kept, scalars) => {
    const { weightDecay } = settings;
    const d = weightDecay === 0 ? gradient : add(gradient, mul(weight, weightDecay));
    return step(settings, { weight, gradient: d }, kept, scalars);
  },
};

/** torch.optim.AdamW: weights shrink first, w ← w·(1 − lr·λ), and gradients know nothing of it. */
export const adamw: Rule<AdamSettings> = {
  slots,
  scalars: (settings, lr, t) => ({
    ...corrections(settings, lr, t),
    keep: 1 - lr * settings.weightDecay,
  }),
  update: (settings, { weight, gradient }, kept, scalars) =>
    step(settings, { weight: mul(weight, scalars.keep), gradient }, kept, scalars),
};
