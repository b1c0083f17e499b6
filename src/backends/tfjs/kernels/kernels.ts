import { asDeclared, declared } from '../value.ts';
import { normalisation } from './batchNorm.ts';
import { classification } from './classification.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import type { KernelTable } from './kernel.ts';
import { pooling } from './pooling.ts';
import { shapeOps } from './shapeOps.ts';

const linear: KernelTable<'matmul'> = {
  matmul: (tf, { transposeA, transposeB }, [a, b]) =>
    declared(tf.matMul(asDeclared(tf, a), asDeclared(tf, b), transposeA, transposeB)),
};

/** Every op in TensorFlow.js's operations. */
export const kernels: KernelTable = {
  ...elementwise,
  ...linear,
  ...convolution,
  ...pooling,
  ...normalisation,
  ...shapeOps,
  ...classification,
};
