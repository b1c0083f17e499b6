import { describe, expect, it } from 'vitest';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import { type ModelName, models } from '../nn/models/index.ts';
import { evaluationStep } from './evaluationStep.ts';
import { gradientOf, outputGradientOf, type Program } from './program.ts';
import { stepOrder } from './stepOrder.ts';
import { trainingStep } from './trainingStep.ts';

const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const settings = { images: [2, 3, 32, 32], dropout: true, optimizer };

describe.each(Object.keys(models) as ModelName[])('a training step of %s', (name) => {
  const model = models[name].build(10);
  const program = trainingStep(model, settings);
  const order = stepOrder(program);
  const names = order.map((tensor) => tensor.name);

  it('has every output, every gradient at one and every weight gradient, each once', () => {
    const parameters = model.state.filter(({ role }) => role === 'parameter');
    const layers = order.filter(({ kind }) => kind === 'output').map((tensor) => tensor.name);
    const expected = [
      ...layers.flatMap((layer) => [layer, outputGradientOf(layer)]),
      ...parameters.map((parameter) => gradientOf(parameter.name)),
    ];
    expect(names.toSorted()).toEqual(expected.toSorted());
    const fetched = [...program.fetches.keys()];
    expect(
      fetched.filter((key) => !['loss', 'logits', 'correct'].includes(key)).toSorted(),
    ).toEqual(names.toSorted());
  });

  it('has nothing before what it is computed from', () => {
    const namedBy = new Map<Node, string>(names.map((key) => [program.fetches.get(key)!, key]));
    const done = new Set<string>();
    const leaves = new Set(namedBy.keys());
    for (const [node, key] of namedBy) {
      leaves.delete(node);
      for (const from of topologicalOrder([node], leaves)) {
        const read = namedBy.get(from);
        if (from !== node && read !== undefined) expect(done, `${key} reads`).toContain(read);
      }
      leaves.add(node);
      done.add(key);
    }
    expect(done.size).toBe(namedBy.size);
  });
});

it('an evaluation has the outputs of the training step, in the same order, and nothing else', () => {
  for (const { build } of Object.values(models)) {
    const model = build(10);
    const outputs = (program: Program) =>
      stepOrder(program).filter(({ kind }) => kind === 'output');
    const evaluation = stepOrder(evaluationStep(model, settings.images));
    expect(evaluation).toEqual(outputs(trainingStep(model, { ...settings, dropout: false })));
  }
});

describe('who makes a gradient', () => {
  const makers = (name: ModelName): ReadonlyMap<string, string> =>
    new Map(
      stepOrder(trainingStep(models[name].build(10), settings)).map((tensor) => [
        tensor.name,
        tensor.layer,
      ]),
    );

  it('is the layer behind, in a chain', () => {
    const of = makers('vgg16');
    expect(of.get('classifier.6.output.grad')).toBe('loss');
    expect(of.get('classifier.4.output.grad')).toBe('classifier.5');
    expect(of.get('features.0.output.grad')).toBe('features.1');
    expect(of.get('features.0.weight.grad')).toBe('features.0');
  });

  it('is every layer that reads the value, where a network branches', () => {
    const of = makers('preresnet164');
    // Into a block go its first normalisation and the sum at its end, or its shortcut's convolution.
    expect(of.get('layer2.3.output.grad')).toBe('layer2.4.bn1 + layer2.4');
    expect(of.get('layer1.17.output.grad')).toBe('layer2.0.bn1 + layer2.0.downsample.0');
    expect(of.get('layer2.0.conv3.output.grad')).toBe('layer2.0');
    expect(of.get('layer2.0.downsample.0.output.grad')).toBe('layer2.0');
    expect(of.get('layer2.0.downsample.0.weight.grad')).toBe('layer2.0.downsample.0');
  });
});
