import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, smoothly } from '../../testdata/told.ts';

const shape = [8, 16];
const values = bell(128, 2);
const of = (f: (x: number) => number, x: ArrayLike<number>) => Float64Array.from(x, f);
const relu = (x: number) => Math.max(0, x);
const silu = (x: number) => x / (1 + Math.exp(-x));
const tanhGelu = (x: number) =>
  (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

/** A layer of one input: `truth` of the reference, `ours` of ours. */
const layer = (x: Float32Array, truth: Float64Array, ours: Float64Array, what = 'GELU()') => [
  { name: 'fc.output', shape, kind: 'output', truth: x } as const,
  { name: 'act.output', shape, kind: 'output', truth, ours, from: ['fc.output'], what } as const,
];

describe('an activation that is not the reference’s', () => {
  it.each([
    ['SiLU (swish) is computed, the reference', silu, tanhGelu],
    ['GELU by tanh is computed, the reference', tanhGelu, relu],
    ['tanh is computed, the reference', Math.tanh, silu],
    ['the activation is missing: the reference', (x: number) => x, relu],
  ])('%s’s is another', (says, ours, truth) => {
    fc.assert(
      fc.property(values, (x) => {
        expect(causeOf(layer(x, of(truth, x), of(ours, x)))).toContain(says);
      }),
      { numRuns: 20 },
    );
  });

  it('is told by the gradient that is sent back, too, in the same words', () => {
    const slope = (x: number) => 1 - Math.tanh(x) ** 2;
    fc.assert(
      fc.property(values, values, (x, g) => {
        const planted = [
          { name: 'fc.output', shape, kind: 'output', truth: x } as const,
          { name: 'act.output.grad', shape, kind: 'output gradient', truth: g } as const,
          {
            name: 'fc.output.grad',
            shape,
            kind: 'output gradient',
            truth: g.map((y, i) => (x[i] > 0 ? y : 0)),
            ours: Float64Array.from(g, (y, i) => y * slope(x[i])),
            from: ['act.output.grad', 'fc.output'],
          } as const,
        ];
        expect(causeOf(planted)).toBe(
          'tanh is computed, the reference’s is ReLU'.replace('’', "'"),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('softmax for its logarithm, by the input that is held', () => {
    fc.assert(
      fc.property(values, (x) => {
        const log = of((v) => v, x);
        for (let row = 0; row < 8; row++) {
          const own = log.subarray(row * 16, row * 16 + 16);
          const sum = own.reduce((total, v) => total + Math.exp(v), 0);
          for (let k = 0; k < 16; k++) own[k] -= Math.log(sum);
        }
        const soft = of(Math.exp, log);
        expect(causeOf(layer(x, log, soft, 'LogSoftmax(dim=1)'))).toBe(
          "softmax is computed, the reference's is log-softmax",
        );
      }),
      { numRuns: 20 },
    );
  });

  it('a ReLU too many and one too few, where no input is held', () => {
    fc.assert(
      fc.property(values, (x) => {
        const cut = of(relu, x);
        const alone = { name: 'fc.output', shape, kind: 'output' } as const;
        expect(causeOf([{ ...alone, truth: x, ours: cut }])).toMatch(/^ReLU of the reference's/);
        expect(causeOf([{ ...alone, truth: cut, ours: x }])).toMatch(/^the reference's is ReLU/);
      }),
      { numRuns: 20 },
    );
  });

  it('no function is found in a smooth perturbation, nor in an error that came from before', () => {
    const size = fc.constantFrom(1e-5, 1e-3, 0.1);
    fc.assert(
      fc.property(values, size, fc.double({ min: 0, max: 6, noNaN: true }), (x, by, phase) => {
        const right = of(silu, x);
        expect(causeOf(layer(x, right, smoothly(right, by, phase)))).toBeUndefined();
        const [before, after] = layer(x, right, of(silu, smoothly(x, by, phase)));
        const inherited = { ...before, ours: smoothly(x, by, phase) };
        expect(causeOf([after, inherited])).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});
