import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { dot, exponentFor, scaled } from './norms.ts';

/** Root of the mean square. */
export function rms(t: Tensor): number {
  const values = toFloat64(t);
  const exponent = exponentFor(values);
  const even = scaled(values, exponent);
  return Math.sqrt(dot(even, even) / even.length) * 2 ** exponent;
}

/**
 * ‖found − truth‖ / ‖truth‖; with a scale (for a truth that is zero but for rounding) the RMS of the
 * difference over it. 0 where both vanish, Infinity where only the truth does.
 */
export function relativeError(found: Tensor, truth: Tensor, scale?: number): number {
  const [a, b] = [toFloat64(found), toFloat64(truth)];
  let [squares, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    squares += (a[i] - b[i]) ** 2;
    norm += b[i] * b[i];
  }
  if (scale !== undefined) return Math.sqrt(squares / b.length) / scale;
  return squares === 0 ? 0 : Math.sqrt(squares / norm);
}
