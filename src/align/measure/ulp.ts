import { elementType, type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';

/** What tells the numbers of a floating type apart. */
interface FloatType {
  /** Bits of the fraction. */
  readonly fraction: number;
  /** Exponent of the smallest normal number, and of all below it. */
  readonly least: number;
}

/** By PyTorch's names; a complex number is two of its parts. Anything else is counted in ones. */
const floatTypes: ReadonlyMap<string, FloatType> = new Map([
  ['float64', { fraction: 52, least: -1022 }],
  ['complex128', { fraction: 52, least: -1022 }],
  ['float32', { fraction: 23, least: -126 }],
  ['complex64', { fraction: 23, least: -126 }],
  ['bfloat16', { fraction: 7, least: -126 }],
  ['float16', { fraction: 10, least: -14 }],
  ['float8_e5m2', { fraction: 2, least: -14 }],
  ['float8_e5m2fnuz', { fraction: 2, least: -15 }],
  ['float8_e4m3fn', { fraction: 3, least: -6 }],
  ['float8_e4m3fnuz', { fraction: 3, least: -7 }],
  ['float8_e8m0fnu', { fraction: 0, least: -127 }],
]);

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** ⌊log₂|x|⌋ of a normal float64, read off its bits; of smaller ones something below all normal exponents. */
function exponentOf(x: number): number {
  double[0] = x;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
}

/** 2^−1074 to 2^1023. */
const powersOfTwo = Float64Array.from({ length: 2098 }, (_, i) => 2 ** (i - 1074));

/**
 * How many numbers of a type lie between two of its own, one of them counted; −0 and +0 are one number. Infinity
 * where one of them is no finite number.
 */
function between(x: number, y: number, { fraction, least }: FloatType): number {
  if (x === y) return 0;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
  // A number's rank is whole powers of two below it, each of 2^fraction numbers, and its place above the last. The
  // two are subtracted apart: ranks of float64 have more digits than a float64.
  const p = Math.max(exponentOf(x), least);
  const q = Math.max(exponentOf(y), least);
  const powers = Math.sign(x) * (p - least) - Math.sign(y) * (q - least);
  const smallest = fraction - 1074;
  const places = x / powersOfTwo[p - smallest] - y / powersOfTwo[q - smallest];
  return Math.abs(powers * 2 ** fraction + places);
}

/** How many float32 lie between two numbers rounded to float32. */
export const float32Between = (x: number, y: number): number =>
  between(Math.fround(x), Math.fround(y), floatTypes.get('float32')!);

/**
 * Element by element, how many numbers of their own type two arrays of one shape are apart; integers differ by what
 * they differ by, and arrays of two types are rounded to float32.
 */
export function ulpDistances(a: Tensor, b: Tensor): Float64Array {
  const [own, other] = [elementType(a), elementType(b)];
  const type = floatTypes.get(own);
  if (own === other && type === undefined) return absoluteDifferences(a, b);
  const [x, y] = [toFloat64(a), toFloat64(b)];
  const out = new Float64Array(x.length);
  if (own !== other || type === undefined) {
    for (let i = 0; i < x.length; i++) out[i] = float32Between(x[i], y[i]);
  } else {
    for (let i = 0; i < x.length; i++) out[i] = between(x[i], y[i], type);
  }
  return out;
}

/** One unit of the last place, over the number; undefined for what is counted in ones. */
export const lastPlaceOf = (t: Tensor): number | undefined => {
  const type = floatTypes.get(elementType(t));
  return type && 2 ** -type.fraction;
};
