import { asDeclared, declared, shapeOf } from '../value.ts';
import type { KernelTable } from './kernel.ts';

export const classification: KernelTable<'logSoftmax' | 'oneHot' | 'argMax'> = {
  logSoftmax: (tf, _, [x]) => declared(tf.logSoftmax(asDeclared(tf, x), -1)),
  // tf.oneHot refuses a single class
  oneHot: (tf, { classes }, [labels]) => {
    const known = tf.range(0, classes, 1, 'int32');
    const hit = tf.equal(tf.expandDims(labels.tensor, 1), known);
    return declared(tf.cast(hit, 'float32'));
  },
  // the reshape is for WebGPU, which makes a vector of one element where a scalar belongs
  argMax: (tf, _, [x]) => {
    const rows = asDeclared(tf, x);
    return declared(tf.reshape(tf.argMax(rows, -1), shapeOf(rows).slice(0, -1)));
  },
};
