import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { gather, samplePositions } from '../reference/samplePositions.ts';
import { worstOf } from './worst.ts';

const float32 = (shape: readonly number[], values: Iterable<number>): Tensor<'float32'> =>
  tensor('float32', [...shape], Float32Array.from(values)) as Tensor<'float32'>;

const row = (values: Iterable<number>): Tensor<'float32'> => {
  const data = Float32Array.from(values);
  return float32([data.length], data);
};

/** What a program finds at coordinates, axis by axis. */
function elementAt({ shape, data }: Tensor<'float32'>, index: readonly number[]): number {
  let [offset, size] = [0, data.length];
  for (const [axis, i] of index.entries()) {
    expect(i).toBeLessThan(shape[axis]);
    size /= shape[axis];
    offset += i * size;
  }
  return data[offset];
}

describe('the worst element', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 });

  it('is found by its coordinates in a whole tensor', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const size = sizeOf(shape);
        const pytorch = float32(shape, Array(size).fill(1));
        const ours = float32(shape, pytorch.data);
        ours.data[seed % size] = 7;
        const worst = worstOf({ ours, pytorch, whole: shape }, 0.5);
        expect(worst.index).toHaveLength(shape.length);
        expect(elementAt(ours, worst.index)).toBe(7);
        expect(worst).toMatchObject({ ours: 7, pytorch: 1, beyond: 1, of: size });
        expect(worst.truth).toBeUndefined();
      }),
    );
  });

  it('is found by its coordinates in the whole of a sample', () => {
    const large = fc.tuple(...[8, 20, 40].map((max) => fc.integer({ min: max / 2, max })));
    fc.assert(
      fc.property(large, fc.nat({ max: 255 }), (shape, k) => {
        const whole = float32([...shape, 5], Array(sizeOf(shape) * 5).fill(1));
        const positions = samplePositions(whole.data.length, 256);
        const pytorch = gather(whole, positions);
        whole.data[positions[k]] = 7;
        const ours = gather(whole, positions);
        const worst = worstOf({ ours, pytorch, whole: whole.shape }, 0.5);
        expect(elementAt(whole, worst.index)).toBe(7);
        expect(worst.of).toBe(256);
      }),
    );
  });

  it('is the furthest from float64 where that is known, and so are those beyond', () => {
    const sides = { ours: row([1, 2, 3]), pytorch: row([1, 2, 9]), whole: [3] };
    const truth = tensor('float64', [3], Float64Array.of(1.5, 2.25, 3));
    expect(worstOf({ ...sides, truth }, 0.3)).toEqual({
      index: [0],
      ours: 1,
      pytorch: 1,
      truth: 1.5,
      beyond: 1,
      of: 3,
      place: 'one element',
    });
    expect(worstOf(sides, 0.3)).toMatchObject({ index: [2], ours: 3, pytorch: 9, beyond: 1 });
  });

  it('is one of those beyond, which are as many as are off by more than is allowed', () => {
    const off = fc.array(fc.constantFrom(0, 0.5, 1, 1.5, 4), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(off, fc.boolean(), (errors, below) => {
        const pytorch = row(errors.map((_, i) => i));
        const ours = row(errors.map((error, i) => (below ? i - error : i + error)));
        const { index, beyond } = worstOf({ ours, pytorch, whole: [errors.length] }, 1);
        expect(beyond).toBe(errors.filter((error) => error > 1).length);
        expect(errors[index[0]]).toBe(Math.max(...errors));
      }),
    );
  });

  it('is NaN, whatever the others are, and the first NaN', () => {
    const values = fc.array(fc.constantFrom(0, 1e30, Infinity, -Infinity, Number.NaN), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(values, (found) => {
        const pytorch = row(found.map(() => 0));
        const { index, beyond } = worstOf(
          { ours: row(found), pytorch, whole: [found.length] },
          2e30,
        );
        const at = found.findIndex(Number.isNaN);
        if (at >= 0) expect(index).toEqual([at]);
        expect(beyond).toBe(found.filter((x) => !Number.isFinite(x)).length);
      }),
    );
  });
});
