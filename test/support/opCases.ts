import * as ir from '../../src/ir/build.ts';
import { apply, type Node } from '../../src/ir/node.ts';
import type { Op, OpParams, Pair } from '../../src/ir/op.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import {
  awayFromZero,
  broadcastable,
  convWindow,
  distinct,
  extents,
  imagesFor,
  ints,
  poolWindow,
  type Random,
  rectified,
  seeded,
  uniform,
  whole,
} from './draws.ts';

/** The ops that compute something from operands. */
export type CaseOp = Exclude<Op, 'input' | 'constant'>;

/** One op with operands, ready to be run: its graph reads inputs called x0, x1, … */
export interface OpCase {
  /** Says which op, which draw. */
  readonly name: string;
  readonly op: CaseOp;
  readonly y: Node;
  /** x0, x1, …; floats are float64 tensors of numbers that float32 holds exactly. */
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** Writes the case of one op on given operands. */
export function opCase<K extends CaseOp>(
  name: string,
  op: K,
  params: OpParams[K],
  operands: readonly Tensor[],
): OpCase {
  const feeds = new Map(operands.map((t, i) => [`x${i}`, t]));
  const inputs = [...feeds].map(([x, t]) =>
    ir.input(x, t.shape, t.dtype === 'int64' ? 'int' : 'float'),
  );
  return { name: `${op}: ${name}`, op, y: apply(op, params, ...inputs), feeds };
}

type Drawn<K extends CaseOp> = readonly [OpParams[K], ...Tensor[]];

const pairwise = (random: Random): [Record<string, never>, Tensor, Tensor] => {
  const [a, b] = broadcastable(random);
  return [{}, uniform(random, a), uniform(random, b)];
};

const anyShape = (random: Random): Shape => extents(random, whole(random, 0, 4));

const spatial = (shape: Shape): Pair => [shape[2], shape[3]];

/** Operands and result of a convolution, all random. */
function convolution(random: Random) {
  const { kernel, stride, padding } = convWindow(random);
  const [i, o] = extents(random, 2);
  const x = uniform(random, imagesFor(random, { kernel, stride, padding }, i));
  const w = uniform(random, [o, i, ...kernel]);
  const y = ir.conv2d(ir.input('x', x.shape), ir.input('w', w.shape), { stride, padding });
  return { x, w, dy: uniform(random, y.shape), kernel, stride, padding };
}

function pooling(random: Random) {
  const window = poolWindow(random);
  const x = distinct(random, imagesFor(random, window, whole(random, 1, 3)));
  const y = ir.avgPool2d(ir.input('x', x.shape), window);
  return { x, window, dy: uniform(random, y.shape) };
}

/**
 * One random case an op. Operands keep away from what an op is not smooth at (kinks, ties, division
 * by zero), so that its derivative can be taken by differences.
 */
const draws: { readonly [K in CaseOp]: (random: Random) => Drawn<K> } = {
  add: pairwise,
  sub: pairwise,
  mul: pairwise,
  div: (random) => {
    const [a, b] = broadcastable(random);
    return [{}, uniform(random, a), awayFromZero(random, b)];
  },
  neg: (random) => [{}, uniform(random, anyShape(random))],
  exp: (random) => [{}, uniform(random, anyShape(random), -3, 3)],
  sqrt: (random) => [{}, uniform(random, anyShape(random), 0.2, 4)],
  relu: (random) => [{}, awayFromZero(random, anyShape(random))],
  reluGrad: (random) => {
    const shape = anyShape(random);
    return [{}, uniform(random, shape), rectified(random, shape)];
  },
  equal: (random) => {
    const shape = anyShape(random);
    return [{}, ints(random, shape, 3), ints(random, shape, 3)];
  },

  matmul: (random) => {
    const transposeA = random() < 0.5;
    const transposeB = random() < 0.5;
    const [m, n] = extents(random, 2);
    const k = whole(random, 1, 9);
    const a = uniform(random, transposeA ? [k, m] : [m, k]);
    const b = uniform(random, transposeB ? [n, k] : [k, n]);
    return [{ transposeA, transposeB }, a, b];
  },
  conv2d: (random) => {
    const { x, w, stride, padding } = convolution(random);
    return [{ stride, padding }, x, w];
  },
  conv2dInputGrad: (random) => {
    const { x, w, dy, stride, padding } = convolution(random);
    return [{ stride, padding, inputSize: spatial(x.shape) }, dy, w];
  },
  conv2dWeightGrad: (random) => {
    const { x, dy, kernel, stride, padding } = convolution(random);
    return [{ stride, padding, kernel }, x, dy];
  },

  maxPool2d: (random) => {
    const { x, window } = pooling(random);
    return [window, x];
  },
  maxPool2dGrad: (random) => {
    const { x, dy, window } = pooling(random);
    return [window, x, dy];
  },
  avgPool2d: (random) => {
    const { x, window } = pooling(random);
    return [window, x];
  },
  avgPool2dGrad: (random) => {
    const { x, dy, window } = pooling(random);
    return [{ ...window, inputSize: spatial(x.shape) }, dy];
  },
  batchNorm: (random) => {
    const x = uniform(random, extents(random, 4));
    const perChannel = (low: number, high: number): Tensor =>
      uniform(random, [x.shape[1]], low, high);
    return [{ eps: 1e-5 }, x, ...[-1, -1, -1, 0.2].map((low) => perChannel(low, 2))];
  },

  reshape: (random) => {
    const shape = anyShape(random);
    const merged = shape.length < 2 ? [1, ...shape] : [shape[0] * shape[1], ...shape.slice(2)];
    return [{ shape: merged }, uniform(random, shape)];
  },
  transpose: (random) => {
    const shape = anyShape(random);
    const keys = shape.map(() => random());
    const perm = shape.map((_, i) => i).sort((a, b) => keys[a] - keys[b]);
    return [{ perm }, uniform(random, shape)];
  },
  broadcastTo: (random) => {
    const shape = anyShape(random);
    const narrow = shape.map((d) => (random() < 0.5 ? 1 : d));
    return [{ shape }, uniform(random, narrow.slice(whole(random, 0, shape.length)))];
  },
  reduceSum: (random) => {
    const shape = anyShape(random);
    const axes = shape.flatMap((_, i) => (random() < 0.5 ? [i] : []));
    return [{ axes, keepDims: random() < 0.5 }, uniform(random, shape)];
  },

  logSoftmax: (random) => [{}, uniform(random, extents(random, whole(random, 1, 3)), -5, 5)],
  oneHot: (random) => {
    const [n, classes] = extents(random, 2);
    return [{ classes }, ints(random, [n], classes)];
  },
  argMax: (random) => [{}, distinct(random, extents(random, whole(random, 1, 3)))],
};

export const caseOps = Object.keys(draws) as readonly CaseOp[];

/** The op's random case number `seed`. */
export function randomCase(op: CaseOp, seed: number): OpCase {
  const draw = draws[op] as (random: Random) => Drawn<CaseOp>;
  const [params, ...operands] = draw(seeded(seed));
  return opCase(`seed ${seed}`, op, params, operands);
}
