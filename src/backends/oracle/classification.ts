import { GraphError } from '../../errors.ts';
import type { KernelTable } from './kernel.ts';
import { floats, type Value } from './value.ts';

/** The rows along the last axis, as views. */
function rows({ shape, data }: Value): Float64Array[] {
  const length = shape[shape.length - 1];
  const count = length === 0 ? 0 : data.length / length;
  return Array.from({ length: count }, (_, i) => data.subarray(i * length, (i + 1) * length));
}

/** The first of equal maxima; a NaN before any number, as in PyTorch. */
function indexOfMax(row: Float64Array): number {
  let best = 0;
  for (let i = 1; i < row.length && !Number.isNaN(row[best]); i++) {
    if (row[i] > row[best] || Number.isNaN(row[i])) best = i;
  }
  return best;
}

export const classification: KernelTable<'logSoftmax' | 'oneHot' | 'argMax'> = {
  // y = (x − m) − log Σ exp(x − m) with m = max x, so that no exponential overflows
  logSoftmax: (_, [x]) => {
    const out = floats(x.shape, x.data.slice());
    for (const row of rows(out)) {
      const max = row[indexOfMax(row)];
      let sum = 0;
      for (const v of row) sum += Math.exp(v - max);
      const logSum = Math.log(sum);
      for (let i = 0; i < row.length; i++) row[i] = row[i] - max - logSum;
    }
    return out;
  },

  /** Throws GraphError for a label that is no class. */
  oneHot: ({ classes }, [labels]) => {
    const out = new Float64Array(labels.data.length * classes);
    labels.data.forEach((label, i) => {
      if (label < 0 || label >= classes) {
        throw new GraphError(
          `oneHot: label ${label} at position ${i} is none of ${classes} classes (0 to ${classes - 1})`,
        );
      }
      out[i * classes + label] = 1;
    });
    return floats([labels.data.length, classes], out);
  },

  argMax: (_, [x]) => ({
    dtype: 'int',
    shape: x.shape.slice(0, -1),
    data: Float64Array.from(rows(x), indexOfMax),
  }),
};
