import { describe, expect, it } from 'vitest';
import { causeOf, evidenceOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';
import { uniforms } from '../../testdata/uniforms.ts';

const masks = (count: number, seed: number): Float64Array => {
  const next = uniforms(seed);
  return Float64Array.from({ length: count }, () => (next() < 0.5 ? 0 : 1));
};

const permutation = (count: number, seed: number): Float64Array => {
  const next = uniforms(seed);
  const keys = Float64Array.from({ length: count }, next);
  return Float64Array.from(Float64Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]));
};

const draw = (name: string, values: Float64Array) =>
  heldOf(name, [values.length], values, { kind: 'draw' });
const exactly = (held: ReturnType<typeof draw>, ours: Float64Array) => ({
  ...suspectOf(held, ours),
  limit: 0,
});

describe('draws', () => {
  const stream = numbersFrom(11, 400);
  const all = [draw('a', stream.slice(0, 150)), draw('b', stream.slice(150, 300))];
  const evidence = evidenceOf(all, { draws: () => all });

  it('one later or earlier in the sequence of all draws', () => {
    const later = exactly(all[0], stream.slice(1, 151));
    expect(causeOf(later, evidence)).toBe(
      "the reference's draws, one draw later: one draw more before it",
    );
    const earlier = exactly(all[1], stream.slice(147, 297));
    expect(causeOf(earlier, evidence)).toBe(
      "the reference's draws, 3 draws earlier: 3 draws fewer before it",
    );
  });

  it('one later, and what is new at the end is new', () => {
    const last = exactly(all[1], stream.slice(152, 302));
    expect(causeOf(last, evidence)).toContain('2 draws later');
  });

  it('of masks, by as many bits as are no accident', () => {
    const bits = masks(600, 3);
    const one = draw('mask', bits.slice(0, 500));
    expect(causeOf(exactly(one, bits.slice(1, 501)), evidenceOf([]))).toContain('one draw later');
    const short = draw('mask', bits.slice(0, 30));
    expect(causeOf(exactly(short, bits.slice(1, 31))) ?? '').not.toContain('later');
  });

  it('another seed, where both are permutations or masks of one rate', () => {
    const order = draw('order', permutation(64, 1));
    expect(causeOf(exactly(order, permutation(64, 2)))).toMatch(
      /^both are permutations of 0 … 63: another seed/,
    );
    const mask = draw('mask', masks(512, 1));
    expect(causeOf(exactly(mask, masks(512, 2)))).toMatch(
      /^both are masks that keep 5\d %, and \d+ of 512 elements differ: another seed|^both are masks that keep 4\d %/,
    );
  });

  it('nothing is said of other numbers, of another rate, of a mask that is nearly the same', () => {
    expect(causeOf(exactly(all[0], numbersFrom(12, 150)), evidence)).toBeUndefined();
    const mask = masks(512, 1);
    const fewer = mask.map((x, i) => (i % 2 === 0 ? 0 : x));
    expect(causeOf(exactly(draw('mask', mask), fewer))).toBeUndefined();
    const flipped = mask.map((x, i) => (i % 64 === 0 ? 1 - x : x));
    expect(causeOf(exactly(draw('mask', mask), flipped))).toBeUndefined();
    const order = permutation(64, 1);
    expect(
      causeOf(
        exactly(
          draw('order', order),
          order.map((x) => x + 1),
        ),
      ),
    ).not.toMatch(/seed/);
  });
});
