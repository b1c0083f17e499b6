import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded, uniform } from '../../test/support/draws.ts';
import { type CaseOp, caseOps, type OpCase, randomCase } from '../../test/support/opCases.ts';
import { runGraph } from '../../test/support/runGraph.ts';
import { GraphError } from '../errors.ts';
import {
  add,
  constant,
  exp,
  input,
  maxPool2d,
  maxPool2dGrad,
  mul,
  pair,
  reduceSum,
  sub,
} from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { Op } from '../ir/op.ts';
import { scalar, type Tensor, type TensorMap, tensor } from '../tensor/tensor.ts';
import { adjoints } from './adjoints.ts';
import { gradients } from './gradients.ts';
import { neverAsked, noGradient } from './rule.ts';

const ops = Object.keys(adjoints) as readonly Op[];
const differentiable = ops.filter(
  (op) => adjoints[op] !== noGradient && adjoints[op] !== neverAsked,
);

const sumAll = (x: Node): Node =>
  reduceSum(
    x,
    x.shape.map((_, i) => i),
  );

const moved = (feeds: TensorMap, direction: TensorMap, h: number): TensorMap =>
  new Map(
    [...feeds].map(([name, t]): [string, Tensor] => {
      const v = direction.get(name)?.data;
      if (t.dtype !== 'float64' || !(v instanceof Float64Array)) return [name, t];
      return [
        name,
        tensor(
          'float64',
          t.shape,
          t.data.map((x, i) => x + h * v[i]),
        ),
      ];
    }),
  );

/**
 * L = Σ c·y with random c, along a random direction v: by its gradients ⟨∇L, v⟩ and by the central
 * difference (L(x + h·v) − L(x − h·v)) / 2h. `size` is Σ |∇Lᵢ·vᵢ|, against which rounding is judged: the
 * derivative itself may cancel to nothing.
 */
function derivatives({ y, feeds }: OpCase, seed: number) {
  const random = seeded(seed);
  const loss = sumAll(mul(input('c', y.shape), y));
  const all = new Map([...feeds, ['c', uniform(random, y.shape)]]);
  // Relative to x, so that an exact zero, which may decide something, stays one.
  const direction = new Map(
    [...feeds].flatMap(([name, t]): [string, Tensor][] => {
      if (t.dtype !== 'float64') return [];
      const step = t.data.map((x) => x * (2 * random() - 1));
      return [[name, tensor('float64', t.shape, step)]];
    }),
  );
  const grads = gradients(loss);
  let analytic = 0;
  let size = 0;
  y.inputs.forEach((x, i) => {
    const g = grads.get(x);
    const v = direction.get(`x${i}`);
    if (g === undefined || v?.dtype !== 'float64') return;
    expect(g.shape).toEqual(x.shape);
    runGraph({ g }, all).g.data.forEach((d, k) => {
      analytic += d * v.data[k];
      size += Math.abs(d * v.data[k]);
    });
  });
  const h = 1e-5;
  const at = (step: number): number => runGraph({ loss }, moved(all, direction, step)).loss.data[0];
  return { analytic, numeric: (at(h) - at(-h)) / (2 * h), size };
}

describe('every adjoint agrees with a directional finite difference', () => {
  it.each(differentiable)('%s', (op) => {
    expect(caseOps, `${op} has an adjoint but no test case in opCases.ts`).toContain(op);
    let largest = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { analytic, numeric, size } = derivatives(randomCase(op as CaseOp, seed), seed);
        // 1e-10: differences of numbers near 1 in steps of 1e-5
        expect(Math.abs(analytic - numeric)).toBeLessThan(1e-7 * size + 1e-9);
        largest = Math.max(largest, size);
      }),
      { numRuns: 60 },
    );
    expect(largest, 'a check of nothing but zeros').toBeGreaterThan(0.1);
  });
});

it('leaves and decisions have no gradient, and nothing else', () => {
  const ending = ops.filter((op) => adjoints[op] === noGradient);
  expect(ending.sort()).toEqual(['argMax', 'constant', 'equal', 'input', 'oneHot']);
  expect(ops.filter((op) => adjoints[op] === neverAsked)).toEqual(['maxPool2dGrad']);
});

describe('gradients', () => {
  const feeds = new Map([
    ['a', scalar(3)],
    ['b', scalar(5)],
  ]);
  const a = input('a', []);
  const b = input('b', []);

  it('adds up what a value used several times gets', () => {
    // d(a·b + a − a·a)/da = b + 1 − 2a
    const loss = sub(add(mul(a, b), a), mul(a, a));
    const grads = gradients(loss);
    const { da, db } = runGraph({ da: grads.get(a)!, db: grads.get(b)! }, feeds);
    expect([da.data[0], db.data[0]]).toEqual([0, 3]);
  });

  it('reaches inner values, each with its own shape', () => {
    const x = input('x', [2, 3]);
    const y = exp(x);
    const grads = gradients(sumAll(mul(y, 2)));
    expect(grads.get(y)?.shape).toEqual([2, 3]);
    const ones = new Map([['x', tensor('float64', [2, 3], new Float64Array(6))]]);
    expect([...runGraph({ dy: grads.get(y)! }, ones).dy.data]).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('sums a gradient back over the axes along which a value was stretched', () => {
    const row = input('row', [3]);
    const column = input('column', [2, 1]);
    const one = input('one', [1, 1]);
    const grads = gradients(sumAll(add(mul(row, column), one)));
    const values = runGraph(
      { row: grads.get(row)!, column: grads.get(column)!, one: grads.get(one)! },
      new Map([
        ['row', tensor('float64', [3], Float64Array.of(1, 2, 3))],
        ['column', tensor('float64', [2, 1], Float64Array.of(10, 100))],
        ['one', tensor('float64', [1, 1], Float64Array.of(0))],
      ]),
    );
    expect(values.row).toMatchObject({ shape: [3], data: Float64Array.of(110, 110, 110) });
    expect(values.column).toMatchObject({ shape: [2, 1], data: Float64Array.of(6, 6) });
    expect(values.one).toMatchObject({ shape: [1, 1], data: Float64Array.of(6) });
  });

  it('says nothing of values the loss does not depend on', () => {
    expect(gradients(exp(a)).has(b)).toBe(false);
  });

  it('refuses a loss that is no float scalar', () => {
    expect(() => gradients(input('x', [2]))).toThrow(GraphError);
    expect(() => gradients(input('x', [2]))).toThrow(
      'a gradient needs a scalar loss, not float[2]',
    );
    expect(() => gradients(input('n', [], 'int'))).toThrow('not int[]');
  });

  it('refuses to differentiate an adjoint that has none', () => {
    const x = input('x', [1, 1, 2, 2]);
    const window = { kernel: pair(2), stride: pair(2), padding: pair(0) };
    const dx = maxPool2dGrad(x, maxPool2d(x, window), window);
    expect(() => gradients(sumAll(dx))).toThrow('maxPool2dGrad has no adjoint: it is one itself');
  });

  it('of a constant loss is 1 for the loss alone', () => {
    const loss = constant(4);
    expect([...gradients(loss).keys()]).toEqual([loss]);
  });
});
