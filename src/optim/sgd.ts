import { add, mul, sub } from '../ir/build.ts';
import type { Rule } from './rule.ts';

export interface SgdSettings {
  readonly momentum: number;
  /** L2 penalty added to the gradient, on every parameter, biases too. */
  readonly weightDecay: number;
  /** Looks one step of the momentum ahead. */
  readonly nesterov?: boolean;
}

/**
 * torch.optim.SGD with momentum and no dampening:
 *
 *     d = g + λ·w        v ← μ·v + d        w ← w − lr·v        (Nesterov: w ← w − lr·(d + μ·v))
 *
 * PyTorch starts v as a copy of the first d; v = 0 gives the same bits. Its learning rate scales v on the
 * way to w and not on the way into v, unlike the original momentum form. (torch/optim/sgd.py)
 */
export const sgd: Rule<SgdSettings> = {
  slots: ['momentum'],
  scalars: (_, lr) => ({ lr }),
  update: (
    { momentum: mu, weightDecay, nesterov = false },
    { weight, gradient },
    slots,
    { lr },
  ) => {
    const d = weightDecay === 0 ? gradient : add(gradient, mul(weight, weightDecay));
    const momentum = add(mul(slots.momentum, mu), d);
    const step = nesterov ? add(d, mul(momentum, mu)) : momentum;
    return { slots: { momentum }, weight: sub(weight, mul(step, lr)) };
  },
};
