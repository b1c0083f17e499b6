import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runGraph } from '../../../../test/support/runGraph.ts';
import { input, maxPool2d, maxPool2dGrad, pair, relu, reluGrad } from '../../../ir/build.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import type { Node } from '../../../ir/node.ts';
import type { Window } from '../../../ir/op.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { toTensor } from '../../oracle/value.ts';
import { masksOnPools } from './pooledMasks.ts';

const windowOf = (size: number, stride: number, padding: number): Window => ({
  kernel: pair(size),
  stride: pair(stride),
  padding: pair(padding),
});

/** A ReLU, its pool, and the gradient that comes back through both. */
function layers(window: Window, side = 6) {
  const x = input('x', [2, 2, side, side]);
  const y = relu(x);
  const pool = maxPool2d(y, window);
  const dp = input('dp', pool.shape);
  const between = maxPool2dGrad(y, dp, window);
  return { x, y, pool, dp, between, dx: reluGrad(between, y) };
}

const opsOf = (roots: readonly Node[]) => topologicalOrder(roots).map(({ op }) => op);

describe('the gradient of a ReLU before a pool', () => {
  it('is that of all places, to the bit, whatever windows overlap and whichever numbers tie', () => {
    const window = fc.constantFrom(
      ...[windowOf(2, 2, 0), windowOf(3, 2, 1), windowOf(3, 1, 1), windowOf(2, 3, 0)],
    );
    // Few values: ties, zeros and whole windows below zero are common.
    const value = fc.integer({ min: -2, max: 2 });
    fc.assert(
      fc.property(window, fc.infiniteStream(value), (w, drawn) => {
        const { x, pool, dp, dx } = layers(w);
        const renewed = masksOnPools([pool, dx]);
        const numbers = (node: Node<'input'>) =>
          tensor(
            'float64',
            node.shape,
            Float64Array.from({ length: sizeOf(node.shape) }, () => drawn.next().value),
          );
        const feeds = new Map([x, dp].map((n) => [n.params.name, numbers(n)]));
        const found = runGraph({ before: dx, after: renewed.get(dx)! }, feeds);
        const plus = (v: number): number => v + 0; // −0 is 0
        const [before, after] = [found.before, found.after].map((v) =>
          Array.from(toFloat64(toTensor(v)), plus),
        );
        expect(after).toEqual(before);
      }),
    );
  });

  it('is made on the pool’s results, which are not computed anew', () => {
    const { pool, dx } = layers(windowOf(2, 2, 0));
    const renewed = masksOnPools([pool, dx]);
    const after = renewed.get(dx)!;
    expect(after.op).toBe('maxPool2dGrad');
    expect(after.inputs[1]).toMatchObject({ op: 'reluGrad', shape: pool.shape });
    const ops = opsOf([...renewed.values()].filter((n) => n === after || n.op === 'maxPool2d'));
    expect(ops.filter((op) => op === 'maxPool2d')).toHaveLength(1);
  });

  it('is made on the pool of its own windows, where a map has two', () => {
    const { y, pool, dx } = layers(windowOf(2, 2, 0));
    const other = maxPool2d(y, windowOf(3, 2, 1));
    expect(other.shape).toEqual(pool.shape);
    const after = masksOnPools([other, pool, dx]).get(dx)!;
    expect(after.inputs[1].inputs[1]).toBe(pool);
  });

  it('stays where somebody wants what is between, or another map is looked at', () => {
    const { between, dx, y, pool } = layers(windowOf(2, 2, 0));
    expect(masksOnPools([pool, dx, between]).get(dx)).toBe(dx);
    const twice = [dx, relu(between)];
    expect(masksOnPools(twice).get(dx)).toBe(dx);
    const other = reluGrad(between, relu(y));
    expect(masksOnPools([other]).get(other)).toBe(other);
  });
});
