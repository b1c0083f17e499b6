import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { causeOf, evidenceOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';
import { uniforms } from '../../testdata/uniforms.ts';

const n = 512;
const x = numbersFrom(9, n);
const p = 0.3;

const maskOf = (seed: number): Float64Array => {
  const next = uniforms(seed);
  return Float64Array.from({ length: n }, () => (next() < p ? 0 : 1));
};

const dropped = (mask: Float64Array, by = 1 / (1 - p)): Float64Array =>
  x.map((v, i) => v * mask[i] * by);

const dropout = { what: `Dropout(p=${p}, inplace=False)` };
const shape = [16, 32];

describe.each([
  ['a layer that says its probability', dropout],
  ['no such words', {}],
])('dropout, by %s', (_, more) => {
  it('another mask', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const [a, b] = [maskOf(seed), maskOf(seed + 1)];
        const differ = a.filter((v, i) => v !== b[i]).length;
        const held = heldOf('drop.output', shape, dropped(a), more);
        expect(causeOf(suspectOf(held, dropped(b)))).toBe(
          `another dropout mask: ${differ} of ${n} elements are dropped on one side only`,
        );
        expect(causeOf(suspectOf(held, dropped(b, 1)))).toContain('is not scaled by 1/(1−p)');
      }),
      { numRuns: 20 },
    );
  });

  it('does nothing where the reference drops, and drops where the reference does nothing', () => {
    const on = heldOf('drop.output', shape, dropped(maskOf(1)), more);
    expect(causeOf(suspectOf(on, x))).toMatch(/^dropout is not active: the reference drops \d+ of/);
    const off = heldOf('drop.output', shape, x, more);
    expect(causeOf(suspectOf(off, dropped(maskOf(1))))).toMatch(
      /^dropout is active where the reference drops nothing: \d+ of 512/,
    );
  });

  it('the mask of another draw', () => {
    const [own, of] = [maskOf(1), maskOf(2)];
    const held = heldOf('drop.output', shape, dropped(own), more);
    const draws = evidenceOf([
      heldOf('drop1.mask', shape, own, { kind: 'draw' }),
      heldOf('drop2.mask', shape, of, { kind: 'draw' }),
    ]);
    expect(causeOf(suspectOf(held, dropped(of)), draws)).toBe(
      'dropout by another mask: that of drop2.mask',
    );
  });

  it('nothing is said where what both keep differs', () => {
    const held = heldOf('drop.output', shape, dropped(maskOf(1)), more);
    const ours = dropped(maskOf(2)).map((v, i) => v * (1 + 1e-3 * Math.sin(i / 9)));
    expect(causeOf(suspectOf(held, ours))).toBeUndefined();
  });
});

it('a ReLU that is missing is no dropout', () => {
  const held = heldOf(
    'relu.output',
    shape,
    x.map((v) => Math.max(0, v)),
  );
  expect(causeOf(suspectOf(held, x)) ?? '').not.toContain('dropout');
  const plain = heldOf('fc.output', shape, x);
  const ours = x.map((v) => Math.max(0, v));
  expect(causeOf(suspectOf(plain, ours)) ?? '').not.toContain('dropout');
});
