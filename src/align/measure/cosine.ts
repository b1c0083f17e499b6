import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';
import { dot, exponentFor, scaled } from './norms.ts';

/** An array over its length, and zeros where it has none. */
function direction(t: Tensor): Float64Array {
  const values = toFloat64(t);
  const even = scaled(values, exponentFor(values));
  const length = Math.sqrt(dot(even, even));
  // Not by the inverse of the length: that would be rounded twice.
  return length === 0 ? even : over(even, length);
}

function over(values: Float64Array, divisor: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] / divisor;
  return out;
}

const apart = (u: Float64Array, v: Float64Array): Float64Array =>
  absoluteDifferences(float64(u), float64(v));

const float64 = (data: Float64Array): Tensor => ({ dtype: 'float64', shape: [data.length], data });

/** Whether only one of two directions is none, that of zeros. */
const oneIsNone = (u: Float64Array, v: Float64Array): boolean =>
  (dot(u, u) === 0) !== (dot(v, v) === 0);

/** How far two directions are apart in each element: by √(2 (1 − cos)) in all. */
export function directionErrors(a: Tensor, b: Tensor): Float64Array {
  const [u, v] = [direction(a), direction(b)];
  const errors = apart(u, v);
  // At a right angle, as `cosineDistance` has it: directions of length 1 are then √2 apart, not 1.
  return oneIsNone(u, v) ? errors.map((e) => e * Math.SQRT2) : errors;
}

/**
 * 1 − cos of the angle between two arrays, 0 to 2, whatever their lengths. By the distance of their directions, which
 * keeps the digits that 1 − cos loses: of two that are 10⁻⁹ apart it is 5·10⁻¹⁹. Two zeros have one direction, a zero
 * and another array none in common: 1, as in PyTorch.
 */
export function cosineDistance(a: Tensor, b: Tensor): number {
  const [u, v] = [direction(a), direction(b)];
  // Not 1 outright: a NaN beside zeros stays one.
  if (oneIsNone(u, v)) return 1 - dot(u, v);
  const between = apart(u, v);
  return dot(between, between) / 2;
}
