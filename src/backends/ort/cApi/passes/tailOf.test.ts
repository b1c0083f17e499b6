import { describe, expect, test } from 'vitest';
import { add, div, input, mul, reduceSum, sqrt, sub } from '../../../../ir/build.ts';
import type { Node } from '../../../../ir/node.ts';
import type { Program } from '../../../../program/program.ts';
import { watch } from '../../../../train/health/finiteProbes.ts';
import { partsOf } from './tailOf.ts';
import { optimizers, updates } from './testdata/updates.ts';

const large = input('w', [3, 4]) as Node<'input'>;
const gradient = input('g', [3, 4]) as Node<'input'>;
const program = (next: Node, fetches: readonly (readonly [string, Node])[] = []): Program => ({
  name: 'a step',
  inputs: new Map([['g', gradient]]),
  state: new Map([['w', { role: 'parameter', current: large, next }]]),
  fetches: new Map(fetches),
});
const sum = (x: Node): Node => reduceSum(x, [0, 1]);

describe('what is left to passes', () => {
  const moved = sub(large, mul(gradient, 0.1));

  test('is an update, and the sum of what it leaves', () => {
    const parts = partsOf(program(moved, [['sum', add(sum(moved), 1)]]), ['sum'], 12)!;
    expect(parts.fetches).toEqual([]);
    expect(parts.head.state.get('w')).not.toHaveProperty('next');
    expect(parts.tail.passes).toHaveLength(1);
    expect(parts.tail.passes[0].steps.map(({ op }) => op)).toEqual(['mul', 'sub']);
    expect([...parts.tail.numbers.fetched.keys()]).toEqual(['sum']);
  });

  test('is nothing of small tensors, of a loss, or of values that somebody asks for', () => {
    expect(partsOf(program(moved), [], 13)).toBeUndefined();
    const loss = sum(mul(large, gradient));
    const parts = partsOf(program(moved, [['loss', loss]]), ['loss'], 12)!;
    expect(parts.fetches).toEqual(['loss']);
    expect(parts.tail.passes[0].sums).toEqual([]);
    expect(partsOf(program(moved, [['new', moved]]), ['new'], 12)).toBeUndefined();
  });

  test('ends where others need a value: that is computed once, and read', () => {
    const norm = mul(gradient, gradient);
    const both = program(sub(large, norm), [['norm', sum(norm)]]);
    const parts = partsOf(both, ['norm'], 12)!;
    expect([...parts.reads.values()]).toEqual([norm]);
    expect(parts.tail.passes[0].steps.map(({ op }) => op)).toEqual(['sub']);
  });

  test('is not an update that waits for a sum of its own', () => {
    const once = sub(large, mul(gradient, 0.1));
    const scaled: Program = {
      ...program(once),
      state: new Map([
        ['w', { current: large, next: once }],
        ['v', { current: input('v', [3, 4]) as Node<'input'>, next: div(once, sqrt(sum(once))) }],
      ]),
    };
    expect(partsOf(scaled, [], 12)).toBeUndefined();
  });

  test('is one pass for what hangs together, and one each for what does not', () => {
    const { program: adam } = updates(optimizers[2]);
    const parts = partsOf(adam, [watch], 8)!;
    expect(parts.tail.passes.map(({ size, writes }) => [size, writes.length])).toEqual([
      [35, 3],
      [72, 3],
    ]);
  });
});
