import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';

type Integers = BigInt64Array | BigUint64Array;

const wide = ({ data }: Tensor): Integers | undefined =>
  data instanceof BigInt64Array || data instanceof BigUint64Array ? data : undefined;

/** By index, here and in what measures beside it: a callback or an iterator takes many times as long. */
function differences(x: Float64Array | Float32Array, y: Float64Array | Float32Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i] - y[i]);
  return out;
}

/**
 * |a − b| element by element. Integers of any width differ by what they differ by, rounded once: they neither
 * wrap, as NumPy's do, nor lose the digits that a float64 has no room for.
 */
export function absoluteDifferences(a: Tensor, b: Tensor): Float64Array {
  const [p, q] = [wide(a), wide(b)];
  if (p !== undefined && q !== undefined) {
    const out = new Float64Array(p.length);
    for (let i = 0; i < p.length; i++) out[i] = Number(p[i] < q[i] ? q[i] - p[i] : p[i] - q[i]);
    return out;
  }
  if (a.dtype === 'float32' && b.dtype === 'float32') return differences(a.data, b.data);
  return differences(toFloat64(a), toFloat64(b));
}
