import { GraphError } from '../../errors.ts';
import { broadcastShapes, formatShape, sizeOf } from '../../tensor/shape.ts';
import type { KernelTable } from './kernel.ts';
import { broadcastOffsets } from './offsets.ts';
import { floats, type Value } from './value.ts';

function map(x: Value, f: (v: number) => number): Value {
  const out = new Float64Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = f(x.data[i]);
  return floats(x.shape, out);
}

function zip(a: Value, b: Value, f: (p: number, q: number) => number): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  if (shape === undefined) {
    throw new GraphError(`${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast`);
  }
  const inA = broadcastOffsets(a.shape, shape);
  const inB = broadcastOffsets(b.shape, shape);
  const out = new Float64Array(sizeOf(shape));
  for (let i = 0; i < out.length; i++) out[i] = f(a.data[inA[i]], b.data[inB[i]]);
  return floats(shape, out);
}

export const elementwise: KernelTable<
  'add' | 'sub' | 'mul' | 'div' | 'neg' | 'exp' | 'sqrt' | 'relu' | 'reluGrad' | 'equal'
> = {
  add: (_, [a, b]) => zip(a, b, (p, q) => p + q),
  sub: (_, [a, b]) => zip(a, b, (p, q) => p - q),
  mul: (_, [a, b]) => zip(a, b, (p, q) => p * q),
  div: (_, [a, b]) => zip(a, b, (p, q) => p / q),
  neg: (_, [x]) => map(x, (v) => -v),
  exp: (_, [x]) => map(x, Math.exp),
  sqrt: (_, [x]) => map(x, Math.sqrt),
  // NaN stays NaN, as in PyTorch: a diverged run must show
  relu: (_, [x]) => map(x, (v) => Math.max(v, 0)),
  reluGrad: (_, [dy, y]) => zip(dy, y, (g, v) => (v > 0 ? g : 0)),
  equal: (_, [a, b]) => zip(a, b, (p, q) => (p === q ? 1 : 0)),
};
