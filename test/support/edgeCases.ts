import type { Shape } from '../../src/tensor/shape.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { type OpCase, opCase } from './opCases.ts';

const float = (shape: Shape, ...values: number[]): Tensor =>
  tensor('float64', shape, Float64Array.from(values));

const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } as const;

/** What random operands never meet: ties, kinks and large numbers, each with one right answer. */
export const edgeCases: readonly OpCase[] = [
  opCase('zero and minus zero', 'relu', {}, [float([3], 0, -0, -1)]),
  opCase('no gradient at zero', 'reluGrad', {}, [float([3], 5, 6, 7), float([3], 0, -0, 2)]),
  opCase('all equal', 'maxPool2d', window, [float([1, 1, 2, 2], 3, 3, 3, 3)]),
  opCase('all negative, beside padding', 'maxPool2d', { ...window, padding: [1, 1] }, [
    float([1, 1, 2, 2], -1, -2, -3, -4),
  ]),
  opCase('the first of equal maxima wins', 'maxPool2dGrad', window, [
    float([1, 1, 2, 4], 1, 7, 0, 0, 7, 7, 0, 0),
    float([1, 1, 1, 2], 10, 20),
  ]),
  opCase(
    'overlapping windows with ties',
    'maxPool2dGrad',
    { kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
    [
      float([1, 1, 3, 3], 1, 2, 2, 2, 1, 2, 0, 2, 2),
      float([1, 1, 3, 3], 1, 2, 4, 8, 16, 32, 64, 128, 256),
    ],
  ),
  opCase('the first of equal maxima', 'argMax', {}, [float([2, 3], 1, 4, 4, 0, 0, 0)]),
  opCase('exponentials that would overflow', 'logSoftmax', {}, [
    float([2, 2], 1000, 1000, -1000, 200),
  ]),
  opCase('one class', 'logSoftmax', {}, [float([2, 1], 5, -5)]),
];
