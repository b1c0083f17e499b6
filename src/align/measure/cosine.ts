import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { dot, exponentFor, scaled } from './norms.ts';

/** An array over its length, and zeros where it has none. */
function direction(t: Tensor): Float64Array {
  const values = toFloat64(t);
  const even = scaled(values, exponentFor(values));
  const length = Math.sqrt(dot(even, even));
  return length === 0 ? even : even.map((v) => v / length);
}

/** How far two directions are apart in each element. */
export function directionErrors(a: Tensor, b: Tensor): Float64Array {
  const [u, v] = [direction(a), direction(b)];
  return u.map((x, i) => Math.abs(x - v[i]));
}

/**
 * 1 − cos of the angle between two arrays, 0 to 2, whatever their lengths. By the distance of their directions, which
 * keeps the digits that 1 − cos loses: of two that are 10⁻⁹ apart it is 5·10⁻¹⁹. Two zeros have one direction, a zero
 * and another array none in common: 1, as in PyTorch.
 */
export function cosineDistance(a: Tensor, b: Tensor): number {
  const [u, v] = [direction(a), direction(b)];
  const none = (d: Float64Array): boolean => d.every((x) => x === 0);
  // Not 1 outright: a NaN beside zeros stays one.
  if (none(u) !== none(v)) return 1 - dot(u, v);
  const apart = u.map((x, i) => x - v[i]);
  return dot(apart, apart) / 2;
}
