import { describe, expect, test } from 'vitest';
import { GraphError } from '../../../errors.ts';
import { add, constant, input, mul } from '../../../ir/build.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import type { Node } from '../../../ir/node.ts';
import { printGraph } from '../../../ir/print.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import { type Program, verifyProgram } from '../../../program/program.ts';
import { trainingStep } from '../../../program/trainingStep.ts';
import { type FlatProgram, flatten, rebuild } from './flatProgram.ts';

const sent = (program: Program): FlatProgram => structuredClone(flatten(program));

const named = ({ fetches, state }: Program): Map<string, Node> =>
  new Map([
    ...fetches,
    ...[...state].map(([name, { current, next }]) => [`next ${name}`, next ?? current] as const),
  ]);

describe('a program sent and rebuilt', () => {
  test('is the same graph under the same names', () => {
    const model = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });
    const settings = {
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      dropout: true,
    } as const;
    const program = trainingStep(model, { images: [2, 3, 32, 32], ...settings });
    const rebuilt = verifyProgram(rebuild(sent(program)));
    expect([...rebuilt.inputs.keys()]).toEqual([...program.inputs.keys()]);
    expect([...rebuilt.state.keys()]).toEqual([...program.state.keys()]);
    expect([...rebuilt.fetches.keys()]).toEqual([...program.fetches.keys()]);
    expect(printGraph(named(rebuilt))).toBe(printGraph(named(program)));
  });

  test('shares what was shared, and tells apart what was twice there', () => {
    const x = input('x', [3]);
    const [one, alike] = [constant(1), constant(1)];
    const shared = add(x, one);
    const y = mul(shared, mul(shared, alike));
    const program: Program = {
      name: 'sharing',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([
        ['y', y],
        ['again', y],
      ]),
    };
    const rebuilt = rebuild(sent(program));
    expect(rebuilt.fetches.get('again')).toBe(rebuilt.fetches.get('y'));
    const [left, right] = rebuilt.fetches.get('y')!.inputs;
    expect(right.inputs[0]).toBe(left);
    expect(left.inputs[0]).toBe(rebuilt.inputs.get('x'));
    expect(topologicalOrder(rebuilt.fetches.values())).toHaveLength(
      topologicalOrder(program.fetches.values()).length,
    );
  });

  test('knows which of its nodes are gradients, and leaves those behind that it does not need', () => {
    const model = vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 16 });
    const settings = {
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      dropout: true,
    } as const;
    const program = trainingStep(model, { images: [2, 3, 32, 32], ...settings });
    const { gradients, fetches, state } = rebuild(sent(program));
    expect(gradients?.loss).toBe(fetches.get('loss'));
    for (const { name } of model.state) {
      expect(gradients?.of.get(state.get(name)!.current)).toBe(fetches.get(`${name}.grad`));
    }
    const ofImages = program.gradients!.of.get(program.inputs.get('images')!);
    expect(ofImages).toBeDefined();
    expect(
      [...gradients!.of.keys()].some((x) => x.op === 'input' && x.params.name === 'images'),
    ).toBe(false);
    expect(gradients!.of.size).toBeLessThan(program.gradients!.of.size);
  });

  test('keeps numbers that JSON would not', () => {
    for (const value of [-0, Number.NaN, Number.POSITIVE_INFINITY]) {
      const y = constant(value);
      const fetches = new Map([['y', y]]);
      const program = { name: 'numbers', inputs: new Map(), state: new Map(), fetches };
      expect(rebuild(sent(program)).fetches.get('y')!.params).toEqual({ value, shape: [] });
    }
  });

  test('is refused when a node lies about its type', () => {
    const x = input('x', [3]);
    const lying = { ...add(x, 1), shape: [4] } as Node;
    const program: Program = {
      name: 'lies',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['y', lying]]),
    };
    expect(() => rebuild(sent(program))).toThrow(GraphError);
    expect(() => rebuild(sent(program))).toThrow(
      'lies: add says float[4], its operands give float[3]',
    );
  });

  test('is refused when something else stands for an input', () => {
    const program: FlatProgram = { ...flatten(emptyProgram()), inputs: new Map([['x', 0]]) };
    expect(() => rebuild(program)).toThrow('constant stands where an input belongs');
  });
});

const emptyProgram = (): Program => ({
  name: 'empty',
  inputs: new Map(),
  state: new Map(),
  fetches: new Map([['y', constant(1)]]),
});
