import type { OptimizerSettings } from '../../optim/optimizer.ts';

/** The optimizer that a section of the manifest was recorded with, its settings by torch.optim's names. */
export const recordedOptimizer = (settings: {
  readonly momentum: number;
  readonly weight_decay: number;
}): OptimizerSettings => ({
  kind: 'sgd',
  momentum: settings.momentum,
  weightDecay: settings.weight_decay,
});
