import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../tensor/shape.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { fromPyTorch, toPyTorch } from './layout.ts';

const counting = (shape: readonly number[]): Tensor =>
  tensor(
    'float32',
    [...shape],
    Float32Array.from({ length: sizeOf([...shape]) }, (_, i) => i),
  );

const extents = (rank: number) =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: rank, maxLength: rank });

describe('a layout', () => {
  it.each(['NHWC', 'HWIO', 'NDHWC', 'in,out', 'IO', 'NLC->NCL', 'HWIM'])(
    '%s there and back is what it was',
    (layout) => {
      const rank = layout.includes(',') ? 2 : layout.split('->')[0].length;
      fc.assert(
        fc.property(extents(rank), (shape) => {
          // TensorFlow's depthwise kernels: PyTorch's shape does not say how many maps each gives.
          const ours = counting(layout === 'HWIM' ? [...shape.slice(0, 3), 1] : shape);
          const back = layout.includes('->') ? layout.split('->').reverse().join('->') : undefined;
          const theirs = toPyTorch(ours, layout);
          const again = back === undefined ? fromPyTorch(theirs, layout) : toPyTorch(theirs, back);
          expect(again).toEqual(ours);
        }),
      );
    },
  );

  it('puts every element where PyTorch has it', () => {
    fc.assert(
      fc.property(extents(4), ([n, h, w, c]) => {
        const { shape, data } = toPyTorch(counting([n, h, w, c]), 'NHWC');
        expect(shape).toEqual([n, c, h, w]);
        const at = (i: number, y: number, x: number, k: number) => ((i * h + y) * w + x) * c + k;
        for (let k = 0; k < c; k++)
          for (let y = 0; y < h; y++)
            expect(data[((k + (n - 1) * c) * h + y) * w + w - 1]).toBe(at(n - 1, y, w - 1, k));
      }),
    );
  });

  it('asks the reference which order PyTorch has, where the letters alone do not say', () => {
    expect(toPyTorch(counting([2, 3, 4]), 'NLC', 'NCL').shape).toEqual([2, 4, 3]);
    expect(() => toPyTorch(counting([2, 3, 4]), 'NLC')).toThrow(/none whose order in PyTorch/);
  });

  it.each([
    ['NHWC', [2, 3], /names 4 axes of a tensor that has 2/],
    ['NHHC', [1, 1, 1, 1], /names an axis twice/],
    ['NLC->NC', [1, 1, 1], /the same axes on both sides/],
  ])('%s is refused', (layout, shape, why) => {
    expect(() => toPyTorch(counting(shape), layout)).toThrow(why);
  });
});
