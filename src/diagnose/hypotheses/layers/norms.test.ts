import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, smoothly, told } from '../../testdata/told.ts';

const [images, channels, places] = [4, 6, 5];
const shape = [images, channels, places];
const size = images * channels * places;
const count = images * places;
const runs = { numRuns: 25 };
const what = 'BatchNorm1d(6, eps=0.001, momentum=0.1, affine=True, bias=True)';

const channel = (i: number): number => Math.floor(i / places) % channels;

/** Inputs of a channel's own mean and spread, a weight and a bias. */
const given = fc
  .tuple(bell(size), bell(channels), bell(channels, 0.3), bell(channels))
  .map(([x, mean, spread, bias]) => ({
    x: x.map((v, i) => 0.4 * v * Math.exp(spread[channel(i)]) + mean[channel(i)]),
    scale: spread.map((v) => 2 + v),
    bias,
  }));

type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;

const momentsOf = (x: ArrayLike<number>, correction: number) =>
  Array.from({ length: channels }, (_, k) => {
    const own = Array.from(x).filter((_, i) => channel(i) === k);
    const mean = own.reduce((a, b) => a + b, 0) / count;
    const squares = own.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    return { mean, variance: squares / (count - correction) };
  });

const normed = ({ x, scale, bias }: Given, eps: number, correction = 0): Float64Array => {
  const moments = momentsOf(x, correction);
  return Float64Array.from(x, (v, i) => {
    const { mean, variance } = moments[channel(i)];
    return ((v - mean) / Math.sqrt(variance + eps)) * scale[channel(i)] + bias[channel(i)];
  });
};

const layer = (all: Given, ours: ArrayLike<number>) => [
  { name: 'conv.output', shape, kind: 'output', truth: all.x } as const,
  { name: 'initial/bn.weight', shape: [channels], kind: 'weight', truth: all.scale } as const,
  { name: 'initial/bn.bias', shape: [channels], kind: 'weight', truth: all.bias } as const,
  {
    name: 'bn.output',
    shape,
    kind: 'output',
    truth: normed(all, 1e-3),
    ours,
    from: ['conv.output', 'initial/bn.weight', 'initial/bn.bias'],
    what,
  } as const,
];

describe('a norm that is not the reference’s', () => {
  it.each([
    [1e-5, '1.0e-5'],
    [0.02, '0.02'],
    [0.5, '0.5'],
  ])('by epsilon %d, which is solved for', (eps, says) => {
    fc.assert(
      fc.property(given, (all) => {
        expect(causeOf(layer(all, normed(all, eps)))).toBe(
          `fits epsilon ${says}, the reference used 1.0e-3`,
        );
      }),
      runs,
    );
  });

  it('by the variance of n − 1, without its weight, or with weight and bias swapped', () => {
    fc.assert(
      fc.property(given, (all) => {
        expect(causeOf(layer(all, normed(all, 1e-3, 1)))).toMatch(
          /^divided by the deviation of n − 1/,
        );
        const plain = normed({ ...all, scale: all.scale.map(() => 1) }, 1e-3);
        expect(causeOf(layer(all, plain))).toBe('its weight is missing');
        const other = { ...all, scale: all.bias.slice(), bias: all.scale.slice() };
        const swapped = normed(other, 1e-3);
        expect(causeOf(layer(all, swapped))).toBe('its weight and bias are swapped');
      }),
      runs,
    );
  });

  it('is found in no smooth perturbation, and not where only its input was wrong', () => {
    const by = fc.constantFrom(1e-5, 1e-3, 0.1);
    fc.assert(
      fc.property(given, by, fc.double({ min: 0, max: 6, noNaN: true }), (all, size, phase) => {
        const right = normed(all, 1e-3);
        expect(causeOf(layer(all, smoothly(right, size, phase)))).toBeUndefined();
        const x = Float32Array.from(smoothly(all.x, size, phase));
        const [input, ...rest] = layer(all, normed({ ...all, x }, 1e-3));
        const verdicts = told([{ ...input, ours: x }, ...rest]);
        expect(verdicts.map(({ cause }) => cause)).toEqual([undefined, undefined]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('running statistics that are not the reference’s', () => {
  /** prev → (1 − m) prev + m · next */
  const kept = (before: ArrayLike<number>, next: ArrayLike<number>, momentum: number) =>
    Float64Array.from(before, (x, i) => (1 - momentum) * x + momentum * next[i]);

  const buffers = (all: Given, old: Float32Array, momentum: number, correction: number) => {
    const unbiased = momentsOf(all.x, 1).map(({ variance }) => variance);
    const used = momentsOf(all.x, correction).map(({ variance }) => variance);
    const before = old.map((v) => 1 + v * v);
    return [
      { name: 'conv.output', shape, kind: 'output', truth: all.x } as const,
      { name: 'initial/bn.running_var', shape: [channels], kind: 'buffer', truth: before } as const,
      {
        name: 'bn.running_var',
        shape: [channels],
        kind: 'buffer',
        truth: kept(before, unbiased, 0.1),
        ours: kept(before, used, momentum),
        from: ['conv.output', 'initial/bn.running_var'],
        what,
      } as const,
    ];
  };

  it.each([
    [0.9, 1, /^fits momentum 0\.9, the reference used 0\.1: what is kept and what is new/],
    [0.01, 1, /^fits momentum 0\.01, the reference used 0\.1$/],
    [0.1, 0, /^by the variance of n, the reference takes that of n − 1$/],
    [0.01, 0, /^fits momentum 0\.01, the reference used 0\.1, and the variance of n/],
  ])('momentum %d, variance of n − %d', (momentum, correction, says) => {
    fc.assert(
      fc.property(given, bell(channels), (all, old) => {
        expect(causeOf(buffers(all, old, momentum, correction))).toMatch(says);
      }),
      runs,
    );
  });

  it('no momentum is fitted to a few channels that no round one explains', () => {
    fc.assert(
      fc.property(given, bell(channels), (all, old) => {
        const says = causeOf(buffers(all, old, 0.12345, 1));
        expect(says).toBeUndefined();
      }),
      runs,
    );
  });
});
