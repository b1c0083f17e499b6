import { describe, expect, test } from 'vitest';
import {
  bitsOf,
  expectFloats,
  expectState,
  sha256,
  torchVectors,
} from '../../test/vectors/torchVectors.ts';
import { vgg16Plan } from '../../test/vectors/vgg16Plan.ts';
import { GraphError } from '../errors.ts';
import type { Shape } from '../tensor/shape.ts';
import { generatorState, manualSeed } from './generator.ts';
import {
  defaultLayerSteps,
  type InitPlan,
  type InitStep,
  initialise,
  skipInitialisation,
} from './initialise.ts';

const layerPlan = (weightShape: Shape): InitPlan => ({
  shapes: new Map([
    ['layer.weight', weightShape],
    ['layer.bias', weightShape.slice(0, 1)],
  ]),
  steps: defaultLayerSteps('layer', weightShape),
});

describe.each(Object.entries(torchVectors.seeds))('seed %s as PyTorch', (seed, vectors) => {
  test('nn.Linear(512, 10)', () => {
    const layer = initialise(layerPlan([10, 512]), manualSeed(Number(seed)));
    expectFloats(layer.get('layer.weight')!.data, vectors.Linear_512_10.weight);
    expect(bitsOf(layer.get('layer.bias')!.data)).toEqual(vectors.Linear_512_10.bias);
  });

  test('nn.Conv2d(3, 64, 3)', () => {
    const layer = initialise(layerPlan([64, 3, 3, 3]), manualSeed(Number(seed)));
    expectFloats(layer.get('layer.weight')!.data, vectors.Conv2d_3_64_k3.weight);
    expectFloats(layer.get('layer.bias')!.data, vectors.Conv2d_3_64_k3.bias);
  });
});

test.each(Object.entries(torchVectors.train_script))(
  'VGG-16 of seed %s',
  { timeout: 60_000 },
  (seed, vectors) => {
    const plan = vgg16Plan();
    const g = manualSeed(Number(seed));
    const weights = initialise(plan, g);
    expect([...weights.keys()]).toEqual([...plan.shapes.keys()]);
    for (const [name, expected] of Object.entries(vectors.vgg16_params)) {
      const weight = weights.get(name)!;
      expectFloats(weight.data, expected);
      expect(weight.shape).toEqual(expected.shape ?? plan.shapes.get(name));
    }
    for (const [name, weight] of weights) {
      if (!(name in vectors.vgg16_params)) expect(weight.data.every((x) => x === 0)).toBe(true);
    }
    expectState(g, vectors.state_after_build);

    const second = vectors['state_after_second_build_(--swa)'];
    if (second !== undefined) {
      skipInitialisation(plan, g);
      expectState(g, second);
    }
  },
);

describe('plans', () => {
  const shapes = new Map<string, Shape>([
    ['a', [5]],
    ['b', [20]],
  ]);
  const steps: InitStep[] = [
    { kind: 'normal', name: 'b', mean: 0, std: 1 },
    { kind: 'normal', name: 'a', mean: 0, std: 1 },
    { kind: 'uniform', name: 'a', bound: 1 },
    { kind: 'ones', name: 'b' },
  ];

  test('replaced values are drawn but not kept', () => {
    const g = manualSeed(4);
    const made = initialise({ shapes, steps }, g);
    expect([...made.keys()]).toEqual(['a', 'b']);
    expect(made.get('b')!.data).toEqual(new Float32Array(20).fill(1));
    const skipped = manualSeed(4);
    skipInitialisation({ shapes, steps }, skipped);
    expect(sha256(generatorState(g))).toBe(sha256(generatorState(skipped)));
    expect(g.cachedNormal).toBeDefined();
  });

  test('steps and shapes must name the same parameters', () => {
    const missing = { shapes, steps: steps.filter(({ name }) => name !== 'a') };
    expect(() => initialise(missing, manualSeed(0))).toThrow(GraphError);
    const unknown: InitPlan = { shapes, steps: [...steps, { kind: 'zeros', name: 'c' }] };
    expect(() => initialise(unknown, manualSeed(0))).toThrow(/ c,/);
    expect(() => skipInitialisation(unknown, manualSeed(0))).toThrow(GraphError);
  });
});
