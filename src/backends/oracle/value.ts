import { GraphError } from '../../errors.ts';
import type { DType } from '../../ir/op.ts';
import { formatShape, type Shape, sameShape } from '../../tensor/shape.ts';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import type { DeviceTensor } from '../backend.ts';

/** A value in the oracle. Ints are kept as float64 too, which holds them exactly up to 2^53. */
export interface Value extends DeviceTensor {
  readonly dtype: DType;
  readonly data: Float64Array;
}

/** Wraps `data` as a float value. */
export const floats = (shape: Shape, data: Float64Array): Value => ({
  dtype: 'float',
  shape,
  data,
});

const isFloat = (t: Tensor): boolean =>
  t.dtype === 'float16' || t.dtype === 'float32' || t.dtype === 'float64';

/**
 * A host tensor of any type as the oracle's own copy of it.
 * Throws GraphError, naming the tensor `name`, for an integer that float64 cannot hold.
 */
export function fromTensor(name: string, t: Tensor): Value {
  const data = t.dtype === 'float64' ? t.data.slice() : toFloat64(t);
  if (isFloat(t)) return floats(t.shape, data);
  const lost = data.find((v) => !Number.isSafeInteger(v));
  if (lost !== undefined) throw new GraphError(`${name} holds ${lost}, too large to be exact`);
  return { dtype: 'int', shape: t.shape, data };
}

/** A copy on the host: float as float64, int as int64. */
export function toTensor({ dtype, shape, data }: Value): Tensor {
  if (dtype === 'float') return tensor('float64', shape, data.slice());
  return tensor('int64', shape, BigInt64Array.from(data, BigInt));
}

/** The value inside a device tensor. Throws GraphError when another backend made it. */
export function ownValue(name: string, t: DeviceTensor): Value {
  if ('data' in t && t.data instanceof Float64Array && 'dtype' in t) return t as Value;
  throw new GraphError(`${name} was not uploaded to the oracle`);
}

/** Throws GraphError when `value` is not of the type that the graph declares. */
export function checkType(what: string, value: Value, declared: Omit<Value, 'data'>): void {
  if (value.dtype === declared.dtype && sameShape(value.shape, declared.shape)) return;
  const given = `${value.dtype}${formatShape(value.shape)}`;
  throw new GraphError(
    `${what} is ${given}, declared ${declared.dtype}${formatShape(declared.shape)}`,
  );
}
