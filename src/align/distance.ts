import type { Tensor } from '../tensor/tensor.ts';
import { toFloat64 } from '../tensor/tensor.ts';
import { meanAbsFloat32 } from './pairwiseMean.ts';

/** How far two arrays of one shape are apart, by every measure a report shows. */
export interface Distances {
  /** reprod_log's measure, with NumPy's own rounding for float32. */
  readonly meanAbs: number;
  readonly maxAbs: number;
  /** ‖a − b‖ / ‖b‖; 0 where both vanish, Infinity where only b does. */
  readonly relativeL2: number;
  readonly cosine: number;
  /** Largest count of float32 numbers between two elements. */
  readonly maxUlp: number;
}

const bits = new Int32Array(1);
const single = new Float32Array(bits.buffer);

/** float32 values in order as integers: neighbours differ by 1, −0 and +0 by nothing. */
function float32Rank(x: number): number {
  single[0] = x;
  return bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0];
}

/** Count of float32 steps between two numbers rounded to float32. */
export const ulpDistance = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Infinity : Math.abs(float32Rank(a) - float32Rank(b));

export function distances(a: Tensor, b: Tensor): Distances {
  const x = toFloat64(a);
  const y = toFloat64(b);
  let [sumAbs, maxAbs, squares, xx, yy, xy, maxUlp] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const d = Math.abs(x[i] - y[i]);
    sumAbs += d;
    // Math.max would lose a NaN behind a later number only if written as a comparison
    maxAbs = Math.max(maxAbs, d);
    squares += d * d;
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
    maxUlp = Math.max(maxUlp, ulpDistance(x[i], y[i]));
  }
  const bothFloat32 = a.dtype === 'float32' && b.dtype === 'float32';
  return {
    meanAbs: bothFloat32 ? meanAbsFloat32(a.data, b.data) : sumAbs / x.length,
    maxAbs,
    relativeL2: squares === 0 ? 0 : Math.sqrt(squares / yy),
    cosine: xx === 0 && yy === 0 ? 1 : xy / Math.sqrt(xx * yy),
    maxUlp,
  };
}
