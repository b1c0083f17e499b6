import { GraphError } from '../errors.ts';
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf } from '../tensor/shape.ts';
import type { DType, Op, OpParams, Pair, Window } from './op.ts';

export interface ValueType {
  readonly shape: Shape;
  readonly dtype: DType;
}

type ShapeRule<K extends Op> = (params: OpParams[K], inputs: readonly ValueType[]) => ValueType;

const float = (shape: Shape): ValueType => ({ shape, dtype: 'float' });

const fail = (op: Op, why: string, inputs: readonly ValueType[]): never => {
  const types = inputs.map((t) => `${t.dtype}${formatShape(t.shape)}`).join(', ');
  throw new GraphError(`${op}(${types}): ${why}`);
};

function expect(op: Op, inputs: readonly ValueType[], ...ranks: readonly (number | 'any')[]): void {
  if (inputs.length !== ranks.length) fail(op, `takes ${ranks.length} operands`, inputs);
  ranks.forEach((rank, i) => {
    if (inputs[i].dtype !== 'float') fail(op, `operand ${i} must be float`, inputs);
    if (rank !== 'any' && inputs[i].shape.length !== rank) {
      fail(op, `operand ${i} must have ${rank} dimensions`, inputs);
    }
  });
}

const unary =
  <K extends Op>(op: K): ShapeRule<K> =>
  (_, inputs) => {
    expect(op, inputs, 'any');
    return float(inputs[0].shape);
  };

const binary =
  <K extends Op>(op: K): ShapeRule<K> =>
  (_, inputs) => {
    expect(op, inputs, 'any', 'any');
    const shape = broadcastShapes(inputs[0].shape, inputs[1].shape);
    return float(shape ?? fail(op, 'shapes do not broadcast', inputs));
  };

/** Output extent of a window sliding over one axis; fails where no whole window fits. */
function windows(
  op: Op,
  inputs: readonly ValueType[],
  size: Pair,
  { kernel, stride, padding }: Window,
): Pair {
  const out = [0, 1].map((a) => Math.floor((size[a] + 2 * padding[a] - kernel[a]) / stride[a]) + 1);
  if (out.some((n) => n < 1)) fail(op, `a ${kernel.join('×')} window does not fit`, inputs);
  return [out[0], out[1]];
}

const spatial = (shape: Shape): Pair => [shape[2], shape[3]];

const pooled =
  <K extends 'maxPool2d' | 'avgPool2d'>(op: K): ShapeRule<K> =>
  (params, inputs) => {
    expect(op, inputs, 4);
    const [n, c] = inputs[0].shape;
    return float([n, c, ...windows(op, inputs, spatial(inputs[0].shape), params)]);
  };

/** Each op's result type from its operands' types. Throws GraphError where they do not fit. */
export const shapeRules: { readonly [K in Op]: ShapeRule<K> } = {
  input: ({ shape, dtype }) => ({ shape, dtype }),
  constant: ({ shape }) => float(shape),

  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  neg: unary('neg'),
  exp: unary('exp'),
  sqrt: unary('sqrt'),
  relu: unary('relu'),
  reluGrad: (_, inputs) => {
    expect('reluGrad', inputs, 'any', 'any');
    if (!sameShape(inputs[0].shape, inputs[1].shape)) fail('reluGrad', 'shapes differ', inputs);
    return float(inputs[0].shape);
  },
  equal: (_, inputs) => {
    if (inputs.length !== 2 || inputs.some((t) => t.dtype !== 'int')) {
      fail('equal', 'takes two int operands', inputs);
    }
    if (!sameShape(inputs[0].shape, inputs[1].shape)) fail('equal', 'shapes differ', inputs);
    return float(inputs[0].shape);
  },

  matmul: ({ transposeA, transposeB }, inputs) => {
    expect('matmul', inputs, 2, 2);
    const [a, b] = inputs.map((t) => t.shape);
    const [m, k] = transposeA ? [a[1], a[0]] : a;
    const [k2, n] = transposeB ? [b[1], b[0]] : b;
    if (k !== k2) fail('matmul', `inner dimensions ${k} and ${k2} differ`, inputs);
    return float([m, n]);
  },
  conv2d: ({ stride, padding }, inputs) => {
    expect('conv2d', inputs, 4, 4);
    const [x, w] = inputs.map((t) => t.shape);
    if (x[1] !== w[1]) fail('conv2d', `${x[1]} channels against a kernel for ${w[1]}`, inputs);
    const size = windows('conv2d', inputs, spatial(x), { kernel: spatial(w), stride, padding });
    return float([x[0], w[0], ...size]);
  },
  conv2dInputGrad: ({ stride, padding, inputSize }, inputs) => {
    expect('conv2dInputGrad', inputs, 4, 4);
    const [dy, w] = inputs.map((t) => t.shape);
    if (dy[1] !== w[0]) fail('conv2dInputGrad', 'output channels differ', inputs);
    const window = { kernel: spatial(w), stride, padding };
    const size = windows('conv2dInputGrad', inputs, inputSize, window);
    if (!sameShape(size, spatial(dy)))
      fail('conv2dInputGrad', 'inputSize does not give dy', inputs);
    return float([dy[0], w[1], ...inputSize]);
  },
  conv2dWeightGrad: ({ stride, padding, kernel }, inputs) => {
    expect('conv2dWeightGrad', inputs, 4, 4);
    const [x, dy] = inputs.map((t) => t.shape);
    if (x[0] !== dy[0]) fail('conv2dWeightGrad', 'batch sizes differ', inputs);
    const size = windows('conv2dWeightGrad', inputs, spatial(x), { kernel, stride, padding });
    if (!sameShape(size, spatial(dy))) fail('conv2dWeightGrad', 'dy does not fit x', inputs);
    return float([dy[1], x[1], ...kernel]);
  },

  maxPool2d: pooled('maxPool2d'),
  maxPool2dGrad: (params, inputs) => {
    expect('maxPool2dGrad', inputs, 4, 4);
    const expected = shapeRules.maxPool2d(params, [inputs[0]]).shape;
    if (!sameShape(expected, inputs[1].shape)) fail('maxPool2dGrad', 'dy does not fit x', inputs);
    return float(inputs[0].shape);
  },
  avgPool2d: pooled('avgPool2d'),
  avgPool2dGrad: (params, inputs) => {
    expect('avgPool2dGrad', inputs, 4);
    const [n, c] = inputs[0].shape;
    const x = float([n, c, ...params.inputSize]);
    const expected = shapeRules.avgPool2d(params, [x]).shape;
    if (!sameShape(expected, inputs[0].shape)) fail('avgPool2dGrad', 'dy does not fit', inputs);
    return x;
  },
  batchNorm: (_, inputs) => {
    expect('batchNorm', inputs, 4, 1, 1, 1, 1);
    const channels = inputs[0].shape[1];
    if (inputs.slice(1).some((t) => t.shape[0] !== channels)) {
      fail('batchNorm', `operands 1 to 4 must hold ${channels} channels`, inputs);
    }
    return float(inputs[0].shape);
  },

  reshape: ({ shape }, inputs) => {
    if (inputs.length !== 1 || sizeOf(inputs[0].shape) !== sizeOf(shape)) {
      fail('reshape', `does not fill ${formatShape(shape)}`, inputs);
    }
    return { shape, dtype: inputs[0].dtype };
  },
  transpose: ({ perm }, inputs) => {
    const { shape, dtype } = inputs[0];
    const axes = [...perm].sort((a, b) => a - b);
    if (perm.length !== shape.length || axes.some((a, i) => a !== i)) {
      fail('transpose', `${formatShape(perm)} is not a permutation of its axes`, inputs);
    }
    return { shape: perm.map((a) => shape[a]), dtype };
  },
  broadcastTo: ({ shape }, inputs) => {
    expect('broadcastTo', inputs, 'any');
    const both = broadcastShapes(inputs[0].shape, shape);
    if (!both || !sameShape(both, shape)) {
      fail('broadcastTo', `does not broadcast to ${formatShape(shape)}`, inputs);
    }
    return float(shape);
  },
  reduceSum: ({ axes, keepDims }, inputs) => {
    expect('reduceSum', inputs, 'any');
    const { shape } = inputs[0];
    if (new Set(axes).size !== axes.length || axes.some((a) => a < 0 || a >= shape.length)) {
      fail('reduceSum', `axes ${formatShape(axes)} are not its axes`, inputs);
    }
    const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
    return float(keepDims ? kept : shape.filter((_, i) => !axes.includes(i)));
  },

  logSoftmax: (_, inputs) => {
    expect('logSoftmax', inputs, 'any');
    if (inputs[0].shape.length === 0) fail('logSoftmax', 'needs an axis', inputs);
    return float(inputs[0].shape);
  },
  oneHot: ({ classes }, inputs) => {
    const [labels] = inputs;
    if (inputs.length !== 1 || labels.dtype !== 'int' || labels.shape.length !== 1) {
      fail('oneHot', 'takes one int vector', inputs);
    }
    return float([labels.shape[0], classes]);
  },
  argMax: (_, inputs) => {
    expect('argMax', inputs, 'any');
    if (inputs[0].shape.length === 0) fail('argMax', 'needs an axis', inputs);
    return { shape: inputs[0].shape.slice(0, -1), dtype: 'int' };
  },
};
