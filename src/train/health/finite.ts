import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';

/** Where a tensor first holds NaN or infinity, as an index into its elements; undefined where nowhere. */
export function nonFiniteAt(t: Tensor): number | undefined {
  if (!t.dtype.startsWith('float')) return undefined;
  const values = t.dtype === 'float16' ? toFloat64(t) : (t.data as Float32Array | Float64Array);
  // A plain loop: fifteen million weights are looked through in some ten milliseconds.
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return undefined;
}

/** The first of the tensors that holds NaN or infinity; undefined where all are finite. */
export function firstNonFinite(tensors: TensorMap): string | undefined {
  for (const [name, value] of tensors) if (nonFiniteAt(value) !== undefined) return name;
  return undefined;
}
