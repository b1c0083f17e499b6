import type { Tensor } from '@tensorflow/tfjs';
import { asDeclared, declared, type Tf } from '../value.ts';
import type { KernelTable } from './kernel.ts';

/**
 * Sums along one axis after the other: TensorFlow adds up a whole batch of images in a row, which loses as
 * many digits more as an image has places, and batch-norm statistics need them.
 */
function sumOver(tf: Tf, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  const inner = [...axes].sort((a, b) => b - a);
  return inner.reduce((sum, axis) => tf.sum(sum, axis, keepDims), x);
}

/** Where NHWC keeps the axes of NCHW. */
const lastAxis = [0, 3, 1, 2];

export const shapeOps: KernelTable<
  'constant' | 'reshape' | 'transpose' | 'broadcastTo' | 'reduceSum'
> = {
  constant: (tf, { value, shape }) => declared(tf.fill([...shape], value, 'float32')),
  reshape: (tf, { shape }, [x]) => declared(tf.reshape(asDeclared(tf, x), [...shape])),
  transpose: (tf, { perm }, [x]) => declared(tf.transpose(asDeclared(tf, x), [...perm])),
  broadcastTo: (tf, { shape }, [x]) => declared(tf.broadcastTo(asDeclared(tf, x), [...shape])),
  reduceSum: (tf, { axes, keepDims }, [x]) => {
    // with one axis left, or all kept, the layout makes no difference to the order of the result
    if (x.channelsLast && (keepDims || axes.length >= 3)) {
      const places = axes.map((axis) => lastAxis[axis]);
      return { tensor: sumOver(tf, x.tensor, places, keepDims), channelsLast: keepDims };
    }
    return declared(sumOver(tf, asDeclared(tf, x), axes, keepDims));
  },
};
