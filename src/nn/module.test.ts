import { expect, test } from 'vitest';
import { trainingStep } from '../program/trainingStep.ts';
import { flatten, linearLayer, reluLayer } from './layers.ts';
import { type Network, sequential } from './module.ts';

test('a layer that is called twice has two outputs, each with a gradient of its own', () => {
  const relu = reluLayer('relu');
  const network: Network = {
    ...sequential([
      flatten,
      linearLayer('a', { from: 4, to: 4 }),
      relu,
      linearLayer('b', { from: 4, to: 3 }),
      relu,
    ]),
    image: [1, 2, 2],
  };
  const { fetches } = trainingStep(network, {
    images: [5, ...network.image],
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
    dropout: false,
  });
  expect(fetches.get('relu')?.shape).toEqual([5, 4]);
  expect(fetches.get('relu#2')?.shape).toEqual([5, 3]);
  expect(fetches.get('relu.output.grad')?.shape).toEqual([5, 4]);
  expect(fetches.get('relu#2.output.grad')?.shape).toEqual([5, 3]);
});
