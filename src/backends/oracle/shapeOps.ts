import { sizeOf, stridesOf } from '../../tensor/shape.ts';
import type { KernelTable } from './kernel.ts';
import { broadcastOffsets, offsets } from './offsets.ts';
import { floats, type Value } from './value.ts';

/** The elements of `x` at the given places, in that order. */
function take(x: Value, places: Int32Array): Float64Array {
  const out = new Float64Array(places.length);
  for (let i = 0; i < out.length; i++) out[i] = x.data[places[i]];
  return out;
}

export const shapeOps: KernelTable<
  'constant' | 'reshape' | 'transpose' | 'broadcastTo' | 'reduceSum'
> = {
  constant: ({ value, shape }) => floats(shape, new Float64Array(sizeOf(shape)).fill(value)),
  reshape: ({ shape }, [x]) => ({ ...x, shape }),
  // axis i of the result is axis perm[i] of x
  transpose: ({ perm }, [x]) => {
    const own = stridesOf(x.shape);
    const shape = perm.map((axis) => x.shape[axis]);
    const places = offsets(
      shape,
      perm.map((axis) => own[axis]),
    );
    return { dtype: x.dtype, shape, data: take(x, places) };
  },
  broadcastTo: ({ shape }, [x]) => floats(shape, take(x, broadcastOffsets(x.shape, shape))),
  // broadcasting backwards: every element of x is added to the one place it would be read from
  reduceSum: ({ axes, keepDims }, [x]) => {
    const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const places = broadcastOffsets(kept, x.shape);
    const out = new Float64Array(sizeOf(kept));
    for (let i = 0; i < places.length; i++) out[places[i]] += x.data[i];
    return floats(keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), out);
  },
};
