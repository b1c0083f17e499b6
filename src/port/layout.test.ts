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

  it.each(['HWIO', 'in,out', 'NDHWC', 'abcd->dbca', 'in, out -> out, in'])(
    '%s keeps every number with its axes',
    (layout) => {
      const names = (text: string) => (text.includes(',') ? text.split(/, ?/) : [...text.trim()]);
      const [from, arrow] = layout.split('->').map((side) => names(side.trim()));
      const pytorch: Record<string, string> = { HWIO: 'OIHW', NDHWC: 'NCDHW', 'in,out': 'out,in' };
      const to = arrow ?? names(pytorch[layout]);
      fc.assert(
        fc.property(extents(from.length), fc.nat(), (shape, n) => {
          const ours = counting(shape);
          const theirs = toPyTorch(ours, layout);
          expect(theirs.shape).toEqual(to.map((axis) => shape[from.indexOf(axis)]));
          let rest = n % sizeOf(shape);
          const at = ours.data[rest];
          const index = shape.map(() => 0);
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            index[axis] = rest % shape[axis];
            rest = Math.floor(rest / shape[axis]);
          }
          const flat = to.reduce(
            (sum, axis, i) => sum * theirs.shape[i] + index[from.indexOf(axis)],
            0,
          );
          expect(theirs.data[flat]).toBe(at);
        }),
      );
    },
  );

  it("splits TensorFlow's depthwise kernel as PyTorch's groups do", () => {
    const { shape, data } = toPyTorch(counting([1, 1, 3, 2]), 'HWIM');
    expect(shape).toEqual([6, 1, 1, 1]);
    expect([...data]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it.each<[string, number[], number[]]>([
    ['NC->NC11', [2, 3], [2, 3, 1, 1]],
    ['N11C->NC', [2, 1, 1, 3], [2, 3]],
    ['in,out->out,in,1,1', [2, 3], [3, 2, 1, 1]],
    ['1->', [1], []],
  ])('%s adds and drops axes of one element', (layout, ours, theirs) => {
    const [from, to] = layout.split('->');
    expect(toPyTorch(counting(ours), layout).shape).toEqual(theirs);
    const there = toPyTorch(counting(ours), layout);
    expect(toPyTorch(there, `${to}->${from}`)).toEqual(counting(ours));
    expect(fromPyTorch(there, layout)).toEqual(counting(ours));
  });

  it('asks the reference which order PyTorch has, where the letters alone do not say', () => {
    expect(toPyTorch(counting([2, 3, 4]), 'NLC', 'NCL').shape).toEqual([2, 4, 3]);
    expect(() => toPyTorch(counting([2, 3, 4]), 'NLC')).toThrow(/has no known order in PyTorch/);
  });

  it.each([
    ['NHWC', [2, 3], /names 4 axes of a tensor that has 2/],
    ['NHHC', [1, 1, 1, 1], /names an axis twice/],
    ['NLC->NC', [1, 1, 1], /the same axes on both sides/],
    ['NLC->NLX', [1, 1, 1], /the same axes on both sides/],
    ['NLC->NLL', [1, 1, 1], /the same axes on both sides/],
    ['NL->LN->NL', [1, 1], /more than two sides/],
    ['', [1], /has no known order in PyTorch/],
    ['NC->NC11', [1], /names 2 axes of a tensor that has 1/],
    ['N1C->NC', [2, 3, 4], /says that axis 1 of \[2, 3, 4\] has one element/],
    ['->', [1, 2], /names 0 axes/],
    ['a,b', [1, 2], /has no known order in PyTorch; write NHWC/],
  ])('%s is refused', (layout, shape, why) => {
    expect(() => toPyTorch(counting(shape), layout)).toThrow(why);
  });
});
