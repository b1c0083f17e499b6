import { classification } from './classification.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import type { KernelTable } from './kernel.ts';
import { matmul } from './matmul.ts';
import { batchNorm } from './normalisation.ts';
import { pooling } from './pooling.ts';
import { shapeOps } from './shapeOps.ts';

/** Every op's definition in float64. */
export const kernels: KernelTable = {
  ...elementwise,
  matmul,
  ...convolution,
  ...pooling,
  batchNorm,
  ...shapeOps,
  ...classification,
};
