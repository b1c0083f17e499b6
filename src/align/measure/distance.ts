import type { Tensor } from '../../tensor/tensor.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
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

type Integers = BigInt64Array | BigUint64Array;

const wide = ({ data }: Tensor): Integers | undefined =>
  data instanceof BigInt64Array || data instanceof BigUint64Array ? data : undefined;

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
  const [x, y] = [toFloat64(a), toFloat64(b)];
  return x.map((v, i) => Math.abs(v - y[i]));
}

/** Squares of numbers between these neither overflow nor vanish, however many are added. */
const [smallest, largest] = [2 ** -400, 2 ** 400];

/** The power of two that numbers of this size must be divided by before they are squared: mostly none. */
const exponentOf = (size: number): number =>
  (size > largest && size < Infinity) || (size > 0 && size < smallest)
    ? Math.max(Math.floor(Math.log2(size)), -1000)
    : 0;

function largestOf(values: Float64Array): number {
  let size = 0;
  for (const v of values) size = Math.max(size, Math.abs(v));
  return size;
}

const scaled = (values: Float64Array, exponent: number): Float64Array =>
  exponent === 0 ? values : values.map((v) => v * 2 ** -exponent);

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** ‖d‖ / ‖y‖; see `Distances`. */
function relative(d: Float64Array, y: Float64Array): number {
  const [p, q] = [d, y].map((values) => exponentOf(largestOf(values)));
  const [error, truth] = [scaled(d, p), scaled(y, q)];
  const squares = dot(error, error);
  return squares === 0 ? 0 : Math.sqrt(squares / dot(truth, truth)) * 2 ** (p - q);
}

function cosineOf(x: Float64Array, y: Float64Array): number {
  const [xx, yy] = [dot(x, x), dot(y, y)];
  return xx === 0 && yy === 0 ? 1 : dot(x, y) / Math.sqrt(xx * yy);
}

/** All of them for two arrays of one shape, none of them empty. A float64 difference may be infinite. */
export function distances(a: Tensor, b: Tensor): Distances {
  const [x, y] = [toFloat64(a), toFloat64(b)];
  const differences = absoluteDifferences(a, b);
  // Halves differ by half as much: where the difference of two numbers overflows, theirs does not.
  const halves = differences.includes(Infinity);
  const [p, q] = [x, y].map((values) => scaled(values, exponentOf(largestOf(values))));
  let [sum, maxAbs, maxUlp] = [0, 0, 0];
  for (const [i, d] of differences.entries()) {
    sum += d;
    // Math.max keeps a NaN that a comparison would lose behind a later number.
    maxAbs = Math.max(maxAbs, d);
    maxUlp = Math.max(maxUlp, ulpDistance(x[i], y[i]));
  }
  const bothFloat32 = a.dtype === 'float32' && b.dtype === 'float32';
  return {
    meanAbs: bothFloat32 ? meanAbsFloat32(a.data, b.data) : sum / x.length,
    maxAbs,
    relativeL2: halves
      ? relative(
          x.map((v, i) => Math.abs(v / 2 - y[i] / 2)),
          y.map((v) => v / 2),
        )
      : relative(differences, y),
    cosine: cosineOf(p, q),
    maxUlp,
  };
}
