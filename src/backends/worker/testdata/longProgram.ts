import { input, matmul } from '../../../ir/build.ts';
import type { Program } from '../../../program/program.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';

const side = 2048;

/** Two products that take a thread most of a second, of an input of 16 MiB. */
export function longProgram(): Program {
  const x = input('x', [side, side]);
  const y = matmul(matmul(x, x), x);
  return {
    name: 'long program',
    inputs: new Map([['x', x]]),
    state: new Map(),
    fetches: new Map([['y', y]]),
  };
}

export const longInputs = (): Map<string, Tensor> =>
  new Map([['x', tensor('float32', [side, side], new Float32Array(side * side).fill(1 / side))]]);
