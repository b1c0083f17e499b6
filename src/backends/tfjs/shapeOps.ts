import type { KernelTable } from './kernel.ts';
import { asDeclared, declared } from './value.ts';

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
      return { tensor: tf.sum(x.tensor, places, keepDims), channelsLast: keepDims };
    }
    return declared(tf.sum(asDeclared(tf, x), [...axes], keepDims));
  },
};
