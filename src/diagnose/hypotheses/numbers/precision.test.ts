import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf } from '../../testdata/told.ts';

const shape = [16, 32];
const [rows, width] = shape;
const inner = 48;
const factors = fc.tuple(bell(rows * inner), bell(inner * width));

/** A product of two matrices in float64, of factors as `rounded` leaves them. */
function product(
  [x, w]: [Float32Array, Float32Array],
  rounded: (v: number) => number = (v) => v,
): Float64Array {
  const [a, b] = [Float64Array.from(x, rounded), Float64Array.from(w, rounded)];
  return Float64Array.from({ length: rows * width }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += a[Math.floor(i / width) * inner + k] * b[k * width + (i % width)];
    return sum;
  });
}

/** To so many bits of a mantissa, ties away from zero. */
const toBits = (bits: number) => (v: number) => {
  if (v === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(v))) - bits);
  return Math.round(v / unit) * unit;
};

const said = (truth: ArrayLike<number>, ours: ArrayLike<number>) =>
  causeOf([{ name: 'fc.output', shape, kind: 'output', truth, ours }]) ?? 'nothing';

/** In how many of 40 draws the words are said. */
const share = (make: (drawn: [Float32Array, Float32Array]) => string, says: RegExp): number =>
  fc.sample(factors, { numRuns: 40, seed: 5 }).filter((drawn) => says.test(make(drawn))).length /
  40;

describe('a product', () => {
  it.each<[string, number, RegExp]>([
    ['bfloat16', 7, /^all of its numbers are bfloat16's/],
    ['float16 or TF32', 10, /^all of its numbers are (float16|TF32)'s/],
  ])('of which every number is one of %s', (_, bits, says) => {
    expect(share((d) => said(product(d), product(d).map(toBits(bits))), says)).toBe(1);
  });

  it.each<[string, number, RegExp]>([
    ['bfloat16', 7, /^noise of the size of a rounding to bfloat16, and nothing else/],
    ['TF32', 10, /^noise of the size of a rounding to TF32 or float16, and/],
  ])('of factors rounded to %s', (_, bits, says) => {
    expect(share((d) => said(product(d), product(d, toBits(bits))), says)).toBeGreaterThan(0.8);
  });

  it('in which float32 rounds more than is allowed', () => {
    const rounded = (d: [Float32Array, Float32Array]) =>
      said(
        product(d),
        product(d).map((x) => Math.fround(x + 2048) - 2048),
      );
    expect(share(rounded, /^rounding, .* in another order/)).toBeGreaterThan(0.8);
  });

  it.each([2e-6, 1e-4, 1e-2])(
    'that is off by %f smoothly, by a bias, or in step with a column is no rounding',
    (size) => {
      const ways: ((x: number, i: number) => number)[] = [
        (x, i) => x * (1 + size * Math.sin(i / 30)),
        (x, i) => x + 5 * size * Math.cos(i / 30),
        (x, i) => x * (1 + size * Math.sin(3 * (i % width))),
        (x, i) => x + 5 * size * Math.sin(3 * (i % width)),
        (x) => x + size * x * x,
        (x) => x + 5 * size * Math.sin(x),
      ];
      for (const way of ways) {
        const off = share(
          (d) => said(product(d), product(d).map(way)),
          /noise|rounding|numbers are/,
        );
        expect(off).toBe(0);
      }
    },
  );
});

it('what came from a mistake before looks like noise and is none', () => {
  const x = bell(rows * inner);
  for (const [input, weight] of fc.sample(fc.tuple(x, bell(inner * width)), {
    numRuns: 20,
    seed: 2,
  })) {
    const wrong = Float32Array.from(input, (v, i) => v * (1 + 2e-3 * Math.sin(i / 20)));
    const cause = causeOf([
      {
        name: 'fc.output',
        shape,
        kind: 'output',
        truth: product([input, weight]),
        ours: product([wrong, weight]),
        from: ['act.output'],
      },
      { name: 'act.output', shape: [rows, inner], kind: 'output', truth: input, ours: wrong },
    ]);
    expect(cause ?? '').not.toMatch(/noise|rounding/);
  }
});
