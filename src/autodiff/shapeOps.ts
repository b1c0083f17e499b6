import { broadcastTo, exp, mul, reduceSum, reshape, sub, transpose } from '../ir/build.ts';
import { type AdjointTable, noGradient } from './rule.ts';

export const shapeOps: AdjointTable<
  | 'input'
  | 'constant'
  | 'reshape'
  | 'transpose'
  | 'broadcastTo'
  | 'reduceSum'
  | 'logSoftmax'
  | 'oneHot'
  | 'argMax'
> = {
  input: noGradient,
  constant: noGradient,
  reshape: ({ inputs: [x] }, dy) => [reshape(dy, x.shape)],
  transpose: ({ params: { perm } }, dy) => [
    transpose(
      dy,
      perm.map((_, i) => perm.indexOf(i)),
    ),
  ],
  // the walk sums dy back over the broadcast axes
  broadcastTo: (_, dy) => [dy],
  // every summand gets dy
  reduceSum: ({ inputs: [x], params: { axes } }, dy) => {
    const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
    return [broadcastTo(reshape(dy, kept), x.shape)];
  },
  // y = x − log Σ eˣ:  dx = dy − eʸ · Σ dy
  logSoftmax: (y, dy) => [sub(dy, mul(exp(y), reduceSum(dy, [y.shape.length - 1], true)))],
  oneHot: noGradient,
  argMax: noGradient,
};
