import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, told } from '../../testdata/told.ts';

const shape = [4, 5];
const size = 20;
const runs = { numRuns: 25 };
const optimizer = { kind: 'sgd', lr: 0.1, momentum: 0.9, weight_decay: 0.01 };

const values = fc.tuple(bell(size), bell(size), bell(size));

interface Rule {
  readonly lr: number;
  readonly momentum: number;
  readonly weight_decay: number;
}

/** torch.optim.SGD's rule, in float64. */
function sgd({ lr, momentum, weight_decay }: Rule, [w, g, v]: readonly Float32Array[]) {
  const velocity = Float64Array.from(w, (x, i) => momentum * v[i] + g[i] + weight_decay * x);
  return { velocity, weight: Float64Array.from(w, (x, i) => x - lr * velocity[i]) };
}

/** The second step: what it began with, and what it made by the optimizer's settings and by others. */
function second(before: readonly Float32Array[], ours: Rule) {
  const [w, g, v] = before;
  const [right, wrong] = [sgd(optimizer, before), sgd(ours, before)];
  return [
    { name: 'fc.weight', shape, kind: 'weight', truth: w } as const,
    { name: 'fc.weight.momentum', shape, kind: 'optimizer state', truth: v } as const,
    { name: 'step1/fc.weight.grad', shape, kind: 'weight gradient', truth: g } as const,
    {
      name: 'step1/fc.weight.momentum',
      shape,
      kind: 'optimizer state',
      truth: right.velocity,
      ours: wrong.velocity,
      from: ['fc.weight', 'step1/fc.weight.grad', 'fc.weight.momentum'],
    } as const,
    {
      name: 'step1/fc.weight',
      shape,
      kind: 'weight',
      truth: right.weight,
      ours: wrong.weight,
      from: ['fc.weight', 'step1/fc.weight.grad', 'step1/fc.weight.momentum'],
    } as const,
  ];
}

describe('a step that is not the reference’s', () => {
  it.each([
    ['weight decay is missing', { weight_decay: 0 }],
    ['weight decay counts twice: 0.02 in place of 0.01', { weight_decay: 0.02 }],
    ['fits weight decay 0.05, the reference used 0.01', { weight_decay: 0.05 }],
  ])('%s: in the velocity and in the weight alike', (says, other) => {
    fc.assert(
      fc.property(values, (before) => {
        const causes = told(second(before, { ...optimizer, ...other }), { optimizer });
        expect(causes.map(({ cause }) => [cause?.says, cause?.explains])).toEqual([
          [says, 2],
          [says, 2],
        ]);
      }),
      runs,
    );
  });

  it.each([
    ['momentum is missing: the velocity is the gradient of this step alone', 0],
    ['fits momentum 0.5, the reference used 0.9', 0.5],
  ])('%s', (says, momentum) => {
    fc.assert(
      fc.property(values, (before) => {
        const [velocity] = told(second(before, { ...optimizer, momentum }), { optimizer });
        expect(velocity.cause?.says).toBe(says);
      }),
      runs,
    );
  });

  it.each([
    ['its step is made twice, or is twice as long', 0.2],
    ['its step goes the other way: the learning rate has the other sign', -0.1],
    ['fits a learning rate of 0.03, the reference used 0.1', 0.03],
  ])('%s', (says, lr) => {
    fc.assert(
      fc.property(values, (before) => {
        const planted = second(before, { ...optimizer, lr }).map((one) =>
          one.name === 'step1/fc.weight.momentum' ? { ...one, ours: one.truth } : one,
        );
        const found = told(planted, { optimizer }).find(({ name }) => name === 'step1/fc.weight');
        expect(found?.cause?.says).toBe(says);
      }),
      runs,
    );
  });

  it('in a stage’s names: an iteration’s gradient, and what the iteration left', () => {
    const stage = (name: string) =>
      name.replace(/^(step1\/)?(.*)$/, (_, later?: string, bare?: string) =>
        bare!.endsWith('.grad') ? `iter1/${bare}` : `after iter${later ? 1 : 0}/${bare}`,
      );
    fc.assert(
      fc.property(values, (before) => {
        const planted = second(before, { ...optimizer, weight_decay: 0 });
        const named = planted.map((one) => ({ ...one, name: stage(one.name), from: [] }));
        const causes = told(named, { optimizer }).map(({ cause }) => cause?.says);
        expect(causes).toEqual(['weight decay is missing', 'weight decay is missing']);
        const right = second(before, optimizer)[3].truth;
        const velocity = right.map((x, i) => x - 0.9 * (x - 0.9 * before[2][i]));
        const dampened = named.map((one) => {
          if (one.name === 'after iter1/fc.weight.momentum') return { ...one, ours: velocity };
          if (one.name !== 'after iter1/fc.weight') return one;
          return { ...one, ours: velocity.map((v, i) => before[0][i] - optimizer.lr * v) };
        });
        expect(told(dampened, { optimizer })[0].cause?.says).toMatch(
          /^the gradient counts 1 − mom/,
        );
      }),
      runs,
    );
  });

  it('gradients of three steps that are added up', () => {
    fc.assert(
      fc.property(values, ([a, b, c]) => {
        const gradient = (name: string, truth: Float32Array) =>
          ({ name, shape, kind: 'weight gradient', truth }) as const;
        const ours = Float64Array.from(c, (x, i) => a[i] + b[i] + x);
        const planted = [
          gradient('fc.weight.grad', a),
          gradient('step1/fc.weight.grad', b),
          { ...gradient('step2/fc.weight.grad', c), ours },
        ];
        expect(causeOf(planted)).toMatch(/^gradients are added up over steps/);
      }),
      runs,
    );
  });

  it('weight decay in a gradient, by the optimizer’s number and by another', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0.01, 0.003, 0.37), ([w, g], decay) => {
        const ours = Float64Array.from(g, (x, i) => x + decay * w[i]);
        const planted = [
          { name: 'initial/fc.weight', shape, kind: 'weight', truth: w } as const,
          { name: 'fc.weight.grad', shape, kind: 'weight gradient', truth: g, ours } as const,
        ];
        const number = decay === 0.003 ? '3.0e-3' : String(decay);
        expect(causeOf(planted, { optimizer })).toBe(
          decay === 0.01
            ? 'weight decay is in it: 0.01 × the weight'
            : `${number} × the weight is in it: weight decay`,
        );
      }),
      runs,
    );
  });

  it('nothing is fitted to a few elements, nor to what a single one holds', () => {
    const gradient = (count: number, w: ArrayLike<number>, g: ArrayLike<number>, by: number) =>
      causeOf([
        { name: 'initial/b', shape: [count], kind: 'weight', truth: w },
        {
          name: 'b.grad',
          shape: [count],
          kind: 'weight gradient',
          truth: g,
          ours: Float64Array.from({ length: count }, (_, i) => g[i] + by * w[i]),
        },
      ]);
    fc.assert(
      fc.property(bell(4), bell(4), bell(32), (w, g, many) => {
        expect(gradient(4, w, g, 0.37)).toBeUndefined();
        const single = Float64Array.from({ length: 32 }, (_, i) => (i === 5 ? 1 : 0));
        expect(gradient(32, single, many, 0.37)).toBeUndefined();
      }),
      runs,
    );
  });
});
