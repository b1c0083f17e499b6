import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../tensor/shape.ts';
import { tensor } from '../../tensor/tensor.ts';
import { toPyTorch } from '../layout.ts';
import { offsetsOf, waysOf } from './ways.ts';

const counting = (shape: readonly number[]) =>
  tensor(
    'float64',
    [...shape],
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => i),
  );

const extents = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 });

const layouts = (ours: readonly number[], theirs: readonly number[], axes?: string) =>
  waysOf(ours, theirs, axes).map(({ layout }) => layout);

describe('the ways from one shape to another', () => {
  it('each do what their layout says, and no two the same', () => {
    const inserted = fc.array(fc.nat(5), { maxLength: 2 });
    fc.assert(
      fc.property(extents, fc.nat(), inserted, (shape, seed, ones) => {
        const theirs = shape.toSorted((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
        for (const at of ones) theirs.splice(at % (theirs.length + 1), 0, 1);
        fc.pre(theirs.length <= 5);
        const ours = counting(shape);
        const ways = waysOf(shape, theirs);
        expect(ways.length).toBeGreaterThan(0);
        const seen = new Set<string>();
        for (const way of ways) {
          const read = offsetsOf(way, ours.data.length);
          seen.add(read.join());
          const laid = way.layout === undefined ? ours : toPyTorch(ours, way.layout);
          if (laid.data.length > 1) expect(laid.shape).toEqual(theirs);
          expect([...laid.data]).toEqual([...read]);
          expect(way.reshaped).toBeUndefined();
        }
        expect(seen.size).toBe(ways.length);
      }),
    );
  });

  it('are said in the letters of the reference, or in the usual ones', () => {
    expect(layouts([2, 5, 6, 3], [2, 3, 5, 6], 'NCHW')).toEqual(['NHWC']);
    expect(layouts([2, 5, 6, 3], [2, 3, 5, 6])).toEqual(['NHWC']);
    expect(layouts([5, 6, 3, 2], [2, 3, 5, 6], 'OIHW')).toEqual(['HWIO']);
    expect(layouts([3, 2], [2, 3], 'OI')).toEqual(['IO']);
    expect(layouts([2, 5, 3], [2, 3, 5])).toEqual(['NLC->NCL']);
    expect(layouts([5, 3, 2], [2, 3, 5])).toEqual(['CBA->ABC']);
    expect(layouts([2, 3], [2, 3])).toEqual([undefined]);
    expect(layouts([3, 3], [3, 3])).toEqual([undefined, 'IO']);
    expect(layouts([], [1])).toEqual([undefined]);
  });

  it('add and drop axes of one element', () => {
    expect(layouts([2, 3], [2, 3, 1, 1], 'NCHW')).toEqual(['NC->NC11']);
    expect(layouts([3, 2], [2, 3, 1, 1], 'OIHW')).toEqual(['IO->OI11']);
    expect(layouts([2, 1, 1, 3], [2, 3], 'NC')).toEqual(['N11C->NC']);
    expect(layouts([1, 1, 3, 2], [2, 3, 1, 1], 'OIHW')).toEqual(['HWIO']);
    expect(layouts([2, 1, 1, 3], [2, 3, 1, 1], 'NCHW')).toEqual(['NHWC']);
  });

  it('are found among many axes where most have one element', () => {
    expect(layouts([2, 4, 1, 3, 1, 5], [2, 1, 3, 1, 4, 5])).toEqual(['AE1C1F->A1C1EF']);
    expect(layouts([2, 3, 4, 5, 6, 7], [2, 7, 3, 4, 5, 6])).toEqual(['ACDEFB->ABCDEF']);
  });

  it("know TensorFlow's depthwise kernels", () => {
    expect(layouts([5, 6, 4, 2], [8, 1, 5, 6], 'OIHW')).toEqual(['HWIM']);
    expect(layouts([5, 6, 8, 1], [8, 1, 5, 6], 'OIHW')).toEqual(['HWOI']);
    const ours = counting([5, 6, 4, 2]);
    const [way] = waysOf(ours.shape, [8, 1, 5, 6], 'OIHW');
    expect([...offsetsOf(way, 240)]).toEqual([...toPyTorch(ours, 'HWIM', 'OIHW').data]);
  });

  it('are one, in another shape, where no order of axes explains it; none where the size is another', () => {
    expect(waysOf([6, 8], [2, 3, 8])).toEqual([
      { order: '', extents: [48], strides: [1], reshaped: true },
    ]);
    expect(waysOf([6, 8], [2, 8])).toEqual([]);
  });

  it('lead to single elements too', () => {
    const [way] = waysOf([2, 5, 6, 3], [2, 3, 5, 6]);
    const all = offsetsOf(way, 180);
    expect([...offsetsOf(way, Int32Array.of(179, 0, 31))]).toEqual([all[179], all[0], all[31]]);
  });
});
