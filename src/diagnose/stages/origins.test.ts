import { expect, it } from 'vitest';
import { openReference } from '../../align/reference/reference.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { preResNet } from '../../nn/models/preResNet.ts';
import { vgg } from '../../nn/models/vgg.ts';
import type { Network } from '../../nn/module.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import { zeros } from '../../tensor/tensor.ts';
import { opOrigins } from './opOrigins.ts';
import { originsOf } from './origins.ts';

/** Origins of everything that an evaluation computes. */
function originsIn(network: Network) {
  const program = evaluationStep(network, [2, ...network.image]);
  const state = new Map(
    [...program.state].map(([name, { current }]) => [name, zeros('float32', current.shape)]),
  );
  const feeds = new Map([['images', zeros('float32', [2, ...network.image])]]);
  return originsOf(program, [...program.fetches.keys()], { feeds, state });
}

it('a layer is computed from the layer before it and its own weights', () => {
  const { origins, given } = originsIn(
    vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 }),
  );
  const weights = ['weight', 'bias'].map((end) => `initial/features.0.${end}`);
  expect(new Set(origins.get('features.0')!.from)).toEqual(new Set(['images', ...weights]));
  expect(new Set(origins.get('features.1')!.from)).toEqual(
    new Set(
      ['weight', 'bias', 'running_mean', 'running_var']
        .map((end) => `initial/features.1.${end}`)
        .concat('features.0'),
    ),
  );
  expect(given.get('initial/features.1.running_var')!.kind).toBe('buffer');
  expect(given.get('initial/features.1.weight')!.kind).toBe('weight');
});

it('a dropout, which hands on in evaluation, is made of what it hands on, and the next layer of that', () => {
  const { origins } = originsIn(vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 16 }));
  expect(origins.get('classifier.3')!.from).toEqual(['classifier.2']);
  expect(origins.get('classifier.4')!.from).toContain('classifier.2');
});

it('a sum is made of its terms', () => {
  const { origins } = originsIn(preResNet({ depth: 20, classes: 10, narrow: 8 }));
  expect(origins.get('layer1.1')!.from).toEqual(['layer1.1.conv3', 'layer1.0']);
});

it('of a single op, what is sent back counts for gradients alone', () => {
  const { origins } = opOrigins(openReference(`${fixturesDirectory}/reference/vgg16`, 'vgg16'));
  const from = (name: string) => new Set(origins.get(name)!.from);
  expect(from('linear/y')).toEqual(new Set(['linear/x', 'linear/weight', 'linear/bias']));
  expect(from('linear/x.grad')).toEqual(
    new Set(['linear/x', 'linear/weight', 'linear/bias', 'linear/dy', 'linear/y']),
  );
});
