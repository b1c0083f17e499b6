/** One short function an op: the vocabulary models, adjoints and optimizers are written in. */
import type { Shape } from '../tensor/shape.ts';
import { apply, type Node } from './node.ts';
import type { DType, OpParams, Pair, Window } from './op.ts';

export const input = (name: string, shape: Shape, dtype: DType = 'float'): Node<'input'> =>
  apply('input', { name, shape, dtype }) as Node<'input'>;
export const constant = (value: number, shape: Shape = []): Node =>
  apply('constant', { value, shape });

/** A plain number stands for a scalar constant. */
export type Operand = Node | number;
const node = (x: Operand): Node => (typeof x === 'number' ? constant(x) : x);

export const add = (a: Operand, b: Operand): Node => apply('add', {}, node(a), node(b));
export const sub = (a: Operand, b: Operand): Node => apply('sub', {}, node(a), node(b));
export const mul = (a: Operand, b: Operand): Node => apply('mul', {}, node(a), node(b));
export const div = (a: Operand, b: Operand): Node => apply('div', {}, node(a), node(b));
export const neg = (x: Node): Node => apply('neg', {}, x);
export const exp = (x: Node): Node => apply('exp', {}, x);
export const sqrt = (x: Node): Node => apply('sqrt', {}, x);
export const relu = (x: Node): Node => apply('relu', {}, x);
export const reluGrad = (dy: Node, y: Node): Node => apply('reluGrad', {}, dy, y);
export const equal = (a: Node, b: Node): Node => apply('equal', {}, a, b);

export const matmul = (a: Node, b: Node, options: Partial<OpParams['matmul']> = {}): Node =>
  apply('matmul', { transposeA: false, transposeB: false, ...options }, a, b);
export const conv2d = (x: Node, w: Node, params: OpParams['conv2d']): Node =>
  apply('conv2d', params, x, w);
export const conv2dInputGrad = (dy: Node, w: Node, params: OpParams['conv2dInputGrad']): Node =>
  apply('conv2dInputGrad', params, dy, w);
export const conv2dWeightGrad = (x: Node, dy: Node, params: OpParams['conv2dWeightGrad']): Node =>
  apply('conv2dWeightGrad', params, x, dy);

export const maxPool2d = (x: Node, window: Window): Node => apply('maxPool2d', window, x);
export const maxPool2dGrad = (x: Node, dy: Node, window: Window): Node =>
  apply('maxPool2dGrad', window, x, dy);
export const avgPool2d = (x: Node, window: Window): Node => apply('avgPool2d', window, x);
export const avgPool2dGrad = (dy: Node, params: OpParams['avgPool2dGrad']): Node =>
  apply('avgPool2dGrad', params, dy);
export interface BatchNormOperands {
  readonly weight: Node;
  readonly bias: Node;
  readonly mean: Node;
  readonly variance: Node;
}
export const batchNorm = (x: Node, o: BatchNormOperands, eps: number): Node =>
  apply('batchNorm', { eps }, x, o.weight, o.bias, o.mean, o.variance);

export const reshape = (x: Node, shape: Shape): Node => apply('reshape', { shape }, x);
export const transpose = (x: Node, perm: readonly number[]): Node =>
  apply('transpose', { perm }, x);
export const broadcastTo = (x: Node, shape: Shape): Node => apply('broadcastTo', { shape }, x);
export const reduceSum = (x: Node, axes: readonly number[], keepDims = false): Node =>
  apply('reduceSum', { axes, keepDims }, x);

export const logSoftmax = (x: Node): Node => apply('logSoftmax', {}, x);
export const oneHot = (labels: Node, classes: number): Node => apply('oneHot', { classes }, labels);
export const argMax = (x: Node): Node => apply('argMax', {}, x);

/** Height and width, where one number stands for both. */
export const pair = (n: number | Pair): Pair => (typeof n === 'number' ? [n, n] : n);

/** Mean over `axes`. */
export const reduceMean = (x: Node, axes: readonly number[], keepDims = false): Node => {
  const count = axes.reduce((n, a) => n * x.shape[a], 1);
  return mul(reduceSum(x, axes, keepDims), 1 / count);
};

/** A [C] vector as [1, C, 1, 1], so that it broadcasts over images. */
export const perChannel = (x: Node): Node => reshape(x, [1, x.shape[0], 1, 1]);
