import type { Tensor } from '@tensorflow/tfjs';
import { asChannelsLast, asDeclared, declared, type Tf, type Value } from '../value.ts';
import type { KernelTable } from './kernel.ts';

type Unary = (tf: Tf, params: unknown, operands: readonly Value[]) => Value;

/** The result lies as its operand does. */
const unary =
  (f: (tf: Tf, x: Tensor) => Tensor): Unary =>
  (tf, _, [x]) => ({ ...x, tensor: f(tf, x.tensor) });

/**
 * Two operands in one layout. Channels stay last where one operand has them so and the other can: it is an
 * image batch too, or a scalar. Any other broadcast counts its axes as the graph declares them.
 */
const binary =
  (f: (tf: Tf, a: Tensor, b: Tensor) => Tensor): Unary =>
  (tf, _, [a, b]) => {
    const ranks = [a.tensor.rank, b.tensor.rank];
    if ((a.channelsLast || b.channelsLast) && ranks.every((rank) => rank === 4 || rank === 0)) {
      const [x, y] = [a, b].map((v) => (v.tensor.rank === 0 ? v.tensor : asChannelsLast(tf, v)));
      return { tensor: f(tf, x, y), channelsLast: true };
    }
    return declared(f(tf, asDeclared(tf, a), asDeclared(tf, b)));
  };

export const elementwise: KernelTable<
  'add' | 'sub' | 'mul' | 'div' | 'neg' | 'exp' | 'sqrt' | 'relu' | 'reluGrad' | 'equal'
> = {
  add: binary((tf, a, b) => tf.add(a, b)),
  sub: binary((tf, a, b) => tf.sub(a, b)),
  mul: binary((tf, a, b) => tf.mul(a, b)),
  div: binary((tf, a, b) => tf.div(a, b)),
  neg: unary((tf, x) => tf.neg(x)),
  exp: unary((tf, x) => tf.exp(x)),
  sqrt: unary((tf, x) => tf.sqrt(x)),
  relu: unary((tf, x) => tf.relu(x)),
  reluGrad: binary((tf, dy, y) => tf.where(tf.greater(y, 0), dy, tf.zerosLike(dy))),
  equal: binary((tf, a, b) => tf.cast(tf.equal(a, b), 'float32')),
};
