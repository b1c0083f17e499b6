import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseOps, randomCase } from '../../test/support/opCases.ts';
import { evaluate } from '../backends/oracle/execute.ts';
import { fromTensor } from '../backends/oracle/value.ts';
import { GraphError } from '../errors.ts';
import {
  add,
  argMax,
  avgPool2dGrad,
  batchNorm,
  broadcastTo,
  constant,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  equal,
  input,
  logSoftmax,
  matmul,
  maxPool2d,
  maxPool2dGrad,
  oneHot,
  pair,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  transpose,
} from './build.ts';
import type { Node } from './node.ts';

const x = (...shape: number[]): Node => input('x', shape);
const labels = (...shape: number[]): Node => input('labels', shape, 'int');
const once = { stride: pair(1), padding: pair(0) };
const halves = { kernel: pair(2), stride: pair(2), padding: pair(0) };

const mistakes: readonly (readonly [() => Node, string])[] = [
  [() => add(x(2, 3), x(2)), 'add(float[2, 3], float[2]): shapes do not broadcast'],
  [() => add(x(2), labels(2)), 'add(float[2], int[2]): operand 1 must be float'],
  [() => relu(labels(2)), 'relu(int[2]): operand 0 must be float'],
  [() => reluGrad(x(2), x(1)), 'reluGrad(float[2], float[1]): shapes differ'],
  [() => equal(x(2), labels(2)), 'equal(float[2], int[2]): takes two int operands'],
  [() => equal(labels(2), labels(1)), 'equal(int[2], int[1]): shapes differ'],
  [
    () => matmul(x(2, 3), x(4, 5)),
    'matmul(float[2, 3], float[4, 5]): inner dimensions 3 and 4 differ',
  ],
  [
    () => matmul(x(2, 3), x(3, 5), { transposeB: true }),
    'matmul(float[2, 3], float[3, 5]): inner dimensions 3 and 5 differ',
  ],
  [() => matmul(x(2), x(2, 2)), 'matmul(float[2], float[2, 2]): operand 0 must have 2 dimensions'],
  [
    () => conv2d(x(1, 3, 4, 4), x(8, 2, 3, 3), once),
    'conv2d(float[1, 3, 4, 4], float[8, 2, 3, 3]): 3 channels against a kernel for 2',
  ],
  [
    () => conv2d(x(1, 1, 2, 4), x(1, 1, 3, 3), once),
    'conv2d(float[1, 1, 2, 4], float[1, 1, 3, 3]): a 3×3 window does not fit',
  ],
  [
    () => conv2dInputGrad(x(1, 2, 3, 3), x(3, 1, 2, 2), { ...once, inputSize: pair(4) }),
    'conv2dInputGrad(float[1, 2, 3, 3], float[3, 1, 2, 2]): output channels differ',
  ],
  [
    () => conv2dInputGrad(x(1, 2, 3, 3), x(2, 1, 2, 2), { ...once, inputSize: pair(5) }),
    'conv2dInputGrad(float[1, 2, 3, 3], float[2, 1, 2, 2]): inputSize does not give dy',
  ],
  [
    () => conv2dWeightGrad(x(1, 2, 3, 3), x(2, 2, 2, 2), { ...once, kernel: pair(2) }),
    'conv2dWeightGrad(float[1, 2, 3, 3], float[2, 2, 2, 2]): batch sizes differ',
  ],
  [
    () => conv2dWeightGrad(x(1, 2, 3, 3), x(1, 2, 3, 3), { ...once, kernel: pair(2) }),
    'conv2dWeightGrad(float[1, 2, 3, 3], float[1, 2, 3, 3]): dy does not fit x',
  ],
  [() => maxPool2d(x(1, 1, 1, 4), halves), 'maxPool2d(float[1, 1, 1, 4]): a 2×2 window'],
  [() => maxPool2d(x(4, 4), halves), 'maxPool2d(float[4, 4]): operand 0 must have 4 dimensions'],
  [
    () => maxPool2dGrad(x(1, 1, 4, 4), x(1, 1, 4, 4), halves),
    'maxPool2dGrad(float[1, 1, 4, 4], float[1, 1, 4, 4]): dy does not fit x',
  ],
  [
    () => avgPool2dGrad(x(1, 1, 2, 2), { ...halves, inputSize: pair(6) }),
    'avgPool2dGrad(float[1, 1, 2, 2]): dy does not fit',
  ],
  [
    () => batchNorm(x(1, 3, 2, 2), { weight: x(3), bias: x(3), mean: x(2), variance: x(3) }, 1e-5),
    'batchNorm(float[1, 3, 2, 2], float[3], float[3], float[2], float[3]): operands 1 to 4 must hold 3 channels',
  ],
  [() => reshape(x(2, 3), [4]), 'reshape(float[2, 3]): does not fill [4]'],
  [
    () => transpose(x(2, 3), [0, 0]),
    'transpose(float[2, 3]): [0, 0] is not a permutation of its axes',
  ],
  [() => broadcastTo(x(2, 3), [3]), 'broadcastTo(float[2, 3]): does not broadcast to [3]'],
  [() => reduceSum(x(2, 3), [2]), 'reduceSum(float[2, 3]): axes [2] are not its axes'],
  [() => reduceSum(x(2, 3), [1, 1]), 'reduceSum(float[2, 3]): axes [1, 1] are not its axes'],
  [() => logSoftmax(labels(2)), 'logSoftmax(int[2]): operand 0 must be float'],
  [() => logSoftmax(x()), 'logSoftmax(float[]): needs an axis'],
  [() => oneHot(x(2), 3), 'oneHot(float[2]): takes one int vector'],
  [() => argMax(constant(1)), 'argMax(float[]): needs an axis'],
];

describe('what does not fit is refused with the op and its operands', () => {
  it.each(mistakes)('%s', (build, message) => {
    expect(build).toThrow(GraphError);
    expect(build).toThrow(message);
  });
});

it.each(caseOps)('%s has the shape and type that its definition gives', (op) => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { y, feeds } = randomCase(op, seed);
      const operands = [...feeds].map(([name, t]) => fromTensor(name, t));
      // evaluate compares the kernel's own result with the rule's, and throws
      const { shape, dtype } = evaluate(y as Parameters<typeof evaluate>[0], operands);
      expect({ shape, dtype }).toEqual({ shape: y.shape, dtype: y.dtype });
    }),
    { numRuns: 60 },
  );
});
