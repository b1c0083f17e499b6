import * as convolution from '../convolution/onWebgpu.ts';
import { type Lowerings, lowerings } from './lowering.ts';
import { maxPool2dGrad } from './poolingWebgpu.ts';

/**
 * Every op in operators that the CUDA provider has: it lacks MaxUnpool, and convolves a whole batch at once. Which
 * formulation is fastest on a card has not been measured.
 */
export const cudaLowerings: Lowerings = { ...lowerings, ...convolution, maxPool2dGrad };
