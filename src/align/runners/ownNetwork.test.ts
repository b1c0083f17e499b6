import { expect, it } from 'vitest';
import { probeName } from './ownNetwork.ts';
import { optimizerOf } from './passSettings.ts';

it.each([
  ['features.0', 'features.0.output'],
  ['relu#2', 'relu@1.output'],
  ['relu#2.output.grad', 'relu@1.output.grad'],
  ['features.3.output.grad', 'features.3.output.grad'],
  ['fc.weight.grad', 'fc.weight.grad'],
])('what is fetched as %s is the probe %s', (fetch, probe) => {
  expect(probeName(fetch)).toBe(probe);
});

const one = (kind: string, group: Record<string, unknown>) => [{ kind, groups: [group] }];

it.each([
  [
    one('SGD', { lr: 0.1, momentum: 0.9, weight_decay: 5e-4, nesterov: true, dampening: 0 }),
    { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4, nesterov: true },
  ],
  [
    one('AdamW', {
      lr: 0.1,
      betas: [0.8, 0.99],
      eps: 1e-6,
      weight_decay: 0.01,
      decoupled_weight_decay: true,
    }),
    { kind: 'adamw', betas: [0.8, 0.99], eps: 1e-6, weightDecay: 0.01 },
  ],
])('an optimizer of torch.optim in our words', (recorded, settings) => {
  expect(optimizerOf(recorded, 'ref')).toEqual({ settings, lr: 0.1 });
});

it.each([
  [one('SGD', { lr: 0.1, dampening: 0.5 }), 'our SGD has no dampening'],
  [one('Adam', { lr: 0.1, betas: [0.9, 0.999], amsgrad: true }), 'our Adam has no amsgrad'],
  [one('LBFGS', { lr: 1 }), 'the optimizer LBFGS is not supported'],
  [[{ kind: 'SGD', groups: [{ lr: 1 }, { lr: 2 }] }], 'one group of parameters'],
  [undefined, 'one group of parameters'],
])('an optimizer that ours is not is refused', (recorded, message) => {
  expect(() => optimizerOf(recorded, 'ref')).toThrow(message);
});
