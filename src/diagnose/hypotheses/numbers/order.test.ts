import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../../tensor/shape.ts';
import { causeOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';

const shape = [6, 5, 4, 3];
const truth = numbersFrom(1, sizeOf(shape));
const at = (o: number, i: number, h: number, w: number): number =>
  truth[((o * 5 + i) * 4 + h) * 3 + w];

/** A tensor of `dims`, element by element from its coordinates. */
function made(dims: readonly number[], element: (index: number[]) => number): Float64Array {
  return Float64Array.from({ length: sizeOf(dims) }, (_, flat) => {
    let rest = flat;
    const index = dims.map((_, k) => {
      const stride = sizeOf(dims.slice(k + 1));
      const here = Math.floor(rest / stride);
      rest -= here * stride;
      return here;
    });
    return element(index);
  });
}

const weight = heldOf('conv.weight', shape, truth, { axes: 'OIHW' });
const sampled = heldOf('conv.weight', shape, truth, { axes: 'OIHW', sample: 97 });

describe.each([
  ['whole', weight],
  ['a sample', sampled],
])('of a tensor that the reference holds as %s', (_, held) => {
  it('axes in another order are named, as the shape tells them or hidden under the right one', () => {
    const hwio = made([4, 3, 5, 6], ([h, w, i, o]) => at(o, i, h, w));
    expect(causeOf(suspectOf(held, hwio, [4, 3, 5, 6]))).toBe(
      "its axes are in the order HWIO, the reference's OIHW",
    );
    expect(causeOf(suspectOf(held, hwio))).toBe(
      'its numbers lie in the order HWIO, but its shape says OIHW',
    );
  });

  it('an axis in reverse, and a kernel turned round', () => {
    const reversed = made(shape, ([o, i, h, w]) => at(o, 4 - i, h, w));
    expect(causeOf(suspectOf(held, reversed))).toBe('its input channels are in reverse');
    const turned = made(shape, ([o, i, h, w]) => at(o, i, 3 - h, 2 - w));
    expect(causeOf(suspectOf(held, turned))).toContain('a kernel turned by 180°');
  });

  it('an axis shifted round', () => {
    const rolled = made(shape, ([o, i, h, w]) => at((o + 5) % 6, i, h, w));
    expect(causeOf(suspectOf(held, rolled))).toBe(
      'its output channels are shifted round by 1 of 6',
    );
  });
});

it('RGB for BGR is called so', () => {
  const held = heldOf('input', [4, 3, 2, 2], numbersFrom(2, 48), { axes: 'NCHW' });
  const bgr = made(
    [4, 3, 2, 2],
    ([n, c, h, w]) => numbersFrom(2, 48)[((n * 3 + 2 - c) * 2 + h) * 2 + w],
  );
  expect(causeOf(suspectOf(held, bgr))).toBe('its channels are in reverse (RGB for BGR)');
});

it('gates in another order', () => {
  const held = heldOf('lstm.weight_hh_l0', [12, 5], numbersFrom(3, 60));
  // i, f, g, o in PyTorch; i, g, f, o elsewhere
  const order = [0, 2, 1, 3];
  const ours = made(
    [12, 5],
    ([row, k]) => numbersFrom(3, 60)[(order[Math.floor(row / 3)] * 3 + (row % 3)) * 5 + k],
  );
  expect(causeOf(suspectOf(held, ours))).toBe(
    'the 4 parts of its places along axis 0 are in the order 0, 2, 1, 3',
  );
});

it('a transposed weight, square or not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 2, max: 9 }),
      fc.nat(),
      (r, c, seed) => {
        const values = numbersFrom(seed, r * c);
        const ours = made([c, r], ([j, i]) => values[i * c + j]);
        const says = causeOf(suspectOf(heldOf('fc.weight', [r, c], values), ours, [c, r]));
        // Of the smallest, another order is the same.
        if (r * c > 9) expect(says).toBe('transposed');
        else expect(says).toBeDefined();
      },
    ),
  );
});

it('images in an order of their own', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
      fc.nat(),
      (order, seed) => {
        const values = numbersFrom(seed, 8 * 40);
        const ours = made([8, 40], ([n, k]) => values[order[n] * 40 + k]);
        const says = causeOf(suspectOf(heldOf('output', [8, 40], values, { axes: 'NC' }), ours));
        if (order.every((n, k) => n === k)) return;
        expect(says).toMatch(/images/);
      },
    ),
  );
});

it('says nothing of numbers that are others', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const ours = numbersFrom(seed + 1, truth.length);
      expect(causeOf(suspectOf(weight, ours))).toBeUndefined();
    }),
  );
});
