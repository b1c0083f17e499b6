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

/** How far two directions are apart in each element. */
export const directionErrors = (a: Tensor, b: Tensor): Float64Array =>
  apart(direction(a), direction(b));

/**
 * 1 − cos of the angle between two arrays, 0 to 2, whatever their lengths. By the distance of their directions, which
 * keeps the digits that 1 − cos loses: of two that are 10⁻⁹ apart it is 5·10⁻¹⁹. Two zeros have one direction, a zero
 * and another array none in common: 1, as in PyTorch.
 */
export function cosineDistance(a: Tensor, b: Tensor): number {
  const [u, v] = [direction(a), direction(b)];
  const [none, other] = [u, v].map((d) => dot(d, d) === 0);
  // Not 1 outright: a NaN beside zeros stays one.
  if (none !== other) return 1 - dot(u, v);
  const between = apart(u, v);
  return dot(between, between) / 2;
}
