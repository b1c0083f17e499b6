import { add, mul, sub } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';

export interface SgdSettings {
  readonly momentum: number;
  /** L2 penalty added to the gradient, on every parameter, biases too. */
  readonly weightDecay: number;
}

export interface SgdResult {
  readonly weight: Node;
  readonly momentum: Node;
}

/**
 * One step of torch.optim.SGD with momentum (no dampening, no Nesterov), lr a scalar node:
 *
 *     d = g + λ·w        v ← μ·v + d        w ← w − lr·v
 *
 * PyTorch starts v as a copy of the first d; v = 0 gives the same bits. Its learning rate scales v on the
 * way to w and not on the way into v, unlike the original momentum form. (torch/optim/sgd.py)
 */
export function sgd(
  weight: Node,
  gradient: Node,
  momentum: Node,
  lr: Node,
  settings: SgdSettings,
): SgdResult {
  const d =
    settings.weightDecay === 0 ? gradient : add(gradient, mul(weight, settings.weightDecay));
  const v = add(mul(momentum, settings.momentum), d);
  return { momentum: v, weight: sub(weight, mul(v, lr)) };
}
