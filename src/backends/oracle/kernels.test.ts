import { describe, expect, it } from 'vitest';
import { randomCase } from '../../../test/support/opCases.ts';
import type { OpParams } from '../../ir/op.ts';
import { sizeOf } from '../../tensor/shape.ts';
import type { ComputedOp, Kernel } from './kernel.ts';
import { kernels } from './kernels.ts';
import { floats, fromTensor, type Value } from './value.ts';

const float = (shape: readonly number[], ...values: number[]): Value =>
  floats(shape, Float64Array.from(values));
const int = (...values: number[]): Value => ({
  ...float([values.length], ...values),
  dtype: 'int',
});

/** Shape and numbers of a kernel's result. */
function run<K extends ComputedOp>(op: K, params: OpParams[K], ...operands: Value[]) {
  const { shape, data } = (kernels[op] as Kernel<K>)(params, operands);
  return { shape, data: [...data] };
}

const x3 = float([1, 1, 3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9);

describe('convolution', () => {
  const once = { stride: [1, 1], padding: [0, 0] } as const;
  const strided = { stride: [2, 2], padding: [1, 1] } as const;
  const ones = float([1, 1, 3, 3], ...new Array<number>(9).fill(1));

  it('does not flip the kernel', () => {
    // 1·1 + 2·2 + 4·3 + 5·4 = 37, and so on
    const w = float([1, 1, 2, 2], 1, 2, 3, 4);
    expect(run('conv2d', once, x3, w)).toEqual({ shape: [1, 1, 2, 2], data: [37, 47, 67, 77] });
  });

  it('strides over zeros of padding', () => {
    // 1 + 2 + 4 + 5 = 12 in the corner
    expect(run('conv2d', strided, x3, ones)).toEqual({
      shape: [1, 1, 2, 2],
      data: [12, 16, 24, 28],
    });
  });

  it('sends each gradient back to the inputs its window touched', () => {
    const dy = float([1, 1, 2, 2], 1, 10, 100, 1000);
    const { data } = run('conv2dInputGrad', { ...strided, inputSize: [3, 3] }, dy, ones);
    // windows centred at the corners: the middle row and column see two, the centre all four
    expect(data).toEqual([1, 11, 10, 101, 1111, 1010, 100, 1100, 1000]);
  });

  it('leaves inputs alone that the stride skipped', () => {
    const params = { stride: [2, 2], padding: [0, 0], inputSize: [3, 3] } as const;
    const { data } = run(
      'conv2dInputGrad',
      params,
      float([1, 1, 1, 1], 2),
      float([1, 1, 2, 2], 1, 2, 3, 4),
    );
    expect(data).toEqual([2, 4, 0, 6, 8, 0, 0, 0, 0]);
  });

  it('correlates input and gradient for the weights', () => {
    const dy = float([1, 1, 2, 2], 1, 2, 3, 4);
    const { shape, data } = run('conv2dWeightGrad', { ...once, kernel: [2, 2] }, x3, dy);
    expect({ shape, data }).toEqual({ shape: [1, 1, 2, 2], data: [37, 47, 67, 77] });
  });

  it('is its definition, seven loops deep', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { y, feeds } = randomCase('conv2d', seed);
      if (y.op !== 'conv2d') throw new Error('not a convolution');
      const [x, w] = [...feeds].map(([name, t]) => fromTensor(name, t));
      const { data, shape } = kernels.conv2d(y.params, [x, w]);
      const [stride, padding] = [y.params.stride, y.params.padding];
      const at = ({ shape: s, data: d }: Value, a: number, b: number, c: number, e: number) =>
        c < 0 || c >= s[2] || e < 0 || e >= s[3] ? 0 : d[((a * s[1] + b) * s[2] + c) * s[3] + e];
      const [, channels, kh, kw] = w.shape;
      for (let n = 0, k = 0; n < shape[0]; n++)
        for (let o = 0; o < shape[1]; o++)
          for (let p = 0; p < shape[2]; p++)
            for (let q = 0; q < shape[3]; q++, k++) {
              let sum = 0;
              for (let i = 0; i < channels; i++)
                for (let a = 0; a < kh; a++)
                  for (let b = 0; b < kw; b++) {
                    const row = p * stride[0] + a - padding[0];
                    const column = q * stride[1] + b - padding[1];
                    sum += at(x, n, i, row, column) * at(w, o, i, a, b);
                  }
              expect(Math.abs(data[k] - sum)).toBeLessThan(1e-13);
            }
    }
  });

  it('and its adjoints give one bilinear form: ⟨x ⋆ w, dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩', () => {
    const dot = (a: Value, b: Value): number => a.data.reduce((s, v, i) => s + v * b.data[i], 0);
    for (let seed = 0; seed < 40; seed++) {
      const { y, feeds } = randomCase('conv2d', seed);
      if (y.op !== 'conv2d') throw new Error('not a convolution');
      const [x, w] = [...feeds].map(([name, t]) => fromTensor(name, t));
      const dy = floats(
        y.shape,
        Float64Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(i)),
      );
      const inputSize = [x.shape[2], x.shape[3]] as const;
      const kernel = [w.shape[2], w.shape[3]] as const;
      const form = dot(kernels.conv2d(y.params, [x, w]), dy);
      const dx = kernels.conv2dInputGrad({ ...y.params, inputSize }, [dy, w]);
      const dw = kernels.conv2dWeightGrad({ ...y.params, kernel }, [x, dy]);
      expect(dot(x, dx)).toBeCloseTo(form, 11);
      expect(dot(w, dw)).toBeCloseTo(form, 11);
    }
  });
});

describe('pooling', () => {
  const halves = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } as const;
  const padded = { kernel: [2, 2], stride: [2, 2], padding: [1, 1] } as const;

  it('lets the first of equal maxima win, in row-major order', () => {
    const x = float([1, 1, 2, 4], 1, 7, 0, 0, 7, 7, 0, 0);
    const dy = float([1, 1, 1, 2], 10, 20);
    expect(run('maxPool2d', halves, x).data).toEqual([7, 0]);
    expect(run('maxPool2dGrad', halves, x, dy).data).toEqual([0, 10, 20, 0, 0, 0, 0, 0]);
  });

  it('adds up where overlapping windows choose the same place', () => {
    const params = { kernel: [2, 2], stride: [1, 1], padding: [0, 0] } as const;
    const dy = float([1, 1, 2, 2], 1, 2, 4, 8);
    const x = float([1, 1, 3, 3], 0, 0, 0, 0, 9, 0, 0, 0, 0);
    expect(run('maxPool2dGrad', params, x, dy).data).toEqual([0, 0, 0, 0, 15, 0, 0, 0, 0]);
  });

  it('treats padding of a maximum as −∞, not as 0', () => {
    const x = float([1, 1, 2, 2], -1, -2, -3, -4);
    expect(run('maxPool2d', padded, x).data).toEqual([-1, -2, -3, -4]);
  });

  it('passes NaN on, as PyTorch does', () => {
    const x = float([1, 1, 2, 2], 5, Number.NaN, 9, 1);
    expect(run('maxPool2d', halves, x).data).toEqual([Number.NaN]);
    const dx = run('maxPool2dGrad', halves, x, float([1, 1, 1, 1], 3));
    expect(dx.data).toEqual([0, 3, 0, 0]);
  });

  it('drops a last row and column that no whole window covers', () => {
    expect(run('maxPool2d', halves, x3)).toEqual({ shape: [1, 1, 1, 1], data: [5] });
  });

  it('counts padding in an average', () => {
    const x = float([1, 1, 2, 2], 1, 2, 3, 4);
    expect(run('avgPool2d', padded, x).data).toEqual([0.25, 0.5, 0.75, 1]);
    const dx = run('avgPool2dGrad', { ...padded, inputSize: [2, 2] }, x);
    expect(dx.data).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it('spreads the gradient of an average evenly', () => {
    const dy = float([1, 1, 1, 1], 8);
    const { data } = run('avgPool2dGrad', { ...halves, inputSize: [3, 3] }, dy);
    expect(data).toEqual([2, 2, 0, 2, 2, 0, 0, 0, 0]);
  });
});

describe('elementwise', () => {
  it('broadcasts as NumPy does', () => {
    const column = float([2, 1], 10, 20);
    const row = float([3], 1, 2, 3);
    expect(run('add', {}, column, row)).toEqual({
      shape: [2, 3],
      data: [11, 12, 13, 21, 22, 23],
    });
    expect(run('sub', {}, row, float([], 1))).toEqual({ shape: [3], data: [0, 1, 2] });
    expect(() => run('mul', {}, float([2], 1, 2), row)).toThrow('[2] and [3] do not broadcast');
  });

  it('has a ReLU that is 0 at 0, keeps NaN and lets no gradient through at 0', () => {
    expect(run('relu', {}, float([4], -2, 0, 3, Number.NaN)).data).toEqual([0, 0, 3, Number.NaN]);
    const y = float([3], 0, 2, 0);
    expect(run('reluGrad', {}, float([3], 5, 6, 7), y).data).toEqual([0, 6, 0]);
  });

  it('compares class numbers', () => {
    expect(run('equal', {}, int(1, 2, 3), int(1, 3, 3)).data).toEqual([1, 0, 1]);
  });
});

describe('linear algebra and shapes', () => {
  const a = float([2, 3], 1, 2, 3, 4, 5, 6);

  it('multiplies, either operand transposed first', () => {
    const none = { transposeA: false, transposeB: false };
    const b = float([3, 1], 1, 10, 100);
    expect(run('matmul', none, a, b)).toEqual({ shape: [2, 1], data: [321, 654] });
    const gram = run('matmul', { ...none, transposeB: true }, a, a);
    expect(gram).toEqual({ shape: [2, 2], data: [14, 32, 32, 77] });
    const other = run('matmul', { ...none, transposeA: true }, a, a);
    expect(other).toEqual({ shape: [3, 3], data: [17, 22, 27, 22, 29, 36, 27, 36, 45] });
  });

  it('permutes axes', () => {
    expect(run('transpose', { perm: [1, 0] }, a)).toEqual({
      shape: [3, 2],
      data: [1, 4, 2, 5, 3, 6],
    });
    const x = float([1, 2, 3], 1, 2, 3, 4, 5, 6);
    expect(run('transpose', { perm: [2, 0, 1] }, x)).toEqual({
      shape: [3, 1, 2],
      data: [1, 4, 2, 5, 3, 6],
    });
  });

  it('sums over any axes', () => {
    const sum = (axes: number[], keepDims = false) => run('reduceSum', { axes, keepDims }, a);
    expect(sum([0])).toEqual({ shape: [3], data: [5, 7, 9] });
    expect(sum([1], true)).toEqual({ shape: [2, 1], data: [6, 15] });
    expect(sum([1, 0])).toEqual({ shape: [], data: [21] });
    expect(sum([])).toEqual({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] });
  });

  it('broadcasts and reshapes', () => {
    const x = float([2, 1], 1, 2);
    expect(run('broadcastTo', { shape: [2, 2, 2] }, x).data).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
    expect(run('reshape', { shape: [3, 2] }, a)).toEqual({ shape: [3, 2], data: [...a.data] });
    expect(run('constant', { value: 7, shape: [2] })).toEqual({ shape: [2], data: [7, 7] });
  });

  it('normalises by channel', () => {
    // (x − 1) / √(3 + 1) · 6 + 5 in the first channel, (x − 0) / √(0 + 1) · 1 + 0 in the second
    const x = float([1, 2, 1, 2], 1, 3, 4, 5);
    const operands = [float([2], 6, 1), float([2], 5, 0), float([2], 1, 0), float([2], 3, 0)];
    expect(run('batchNorm', { eps: 1 }, x, ...operands).data).toEqual([5, 11, 4, 5]);
  });
});

describe('classification', () => {
  it('takes logarithms of probabilities without overflow', () => {
    const { data } = run('logSoftmax', {}, float([2, 2], 1000, 1000, 0, Math.log(3)));
    expect(data[0]).toBeCloseTo(-Math.LN2, 15);
    expect(data[2]).toBeCloseTo(-Math.log(4), 15);
    expect(data[3]).toBeCloseTo(Math.log(3 / 4), 15);
  });

  it('writes class numbers as rows', () => {
    const { shape, data } = run('oneHot', { classes: 3 }, int(2, 0));
    expect({ shape, data }).toEqual({ shape: [2, 3], data: [0, 0, 1, 1, 0, 0] });
  });

  it('names a label that is no class', () => {
    expect(() => run('oneHot', { classes: 3 }, int(0, 3))).toThrow(
      'oneHot: label 3 at position 1 is none of 3 classes (0 to 2)',
    );
    expect(() => run('oneHot', { classes: 3 }, int(-1))).toThrow('label -1 at position 0');
  });

  it('finds the first of equal maxima, and NaN before any number', () => {
    const x = float([3, 3], 1, 4, 4, 0, 0, 0, 9, Number.NaN, Number.NaN);
    expect(run('argMax', {}, x)).toEqual({ shape: [3], data: [1, 0, 1] });
  });
});
