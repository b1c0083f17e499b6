import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';
import { cosineDistance } from './cosine.ts';
import { dot, exponentFor, largestOf, scaled } from './norms.ts';
import { meanAbsFloat32 } from './pairwiseMean.ts';
import { ulpDistances } from './ulp.ts';

/** How far two arrays of one shape are apart, by every measure a report shows. */
export interface Distances {
  /** reprod_log's measure, with NumPy's own rounding for float32. */
  readonly meanAbs: number;
  readonly maxAbs: number;
  /** ‖a − b‖ / ‖b‖; 0 where both vanish, Infinity where only b does. */
  readonly relativeL2: number;
  /** Of the angle between them. */
  readonly cosine: number;
  /** Largest count of numbers of their own type between two elements. */
  readonly maxUlp: number;
}

/** ‖d‖ / ‖y‖. */
function relative(d: Float64Array, y: Float64Array): number {
  const [p, q] = [d, y].map(exponentFor);
  const [error, truth] = [scaled(d, p), scaled(y, q)];
  const squares = dot(error, error);
  return squares === 0 ? 0 : Math.sqrt(squares / dot(truth, truth)) * 2 ** (p - q);
}

/** ‖a − b‖ / ‖b‖; see `Distances`. */
export const relativeL2 = (a: Tensor, b: Tensor): number =>
  relativeBy(absoluteDifferences(a, b), a, b);

function relativeBy(differences: Float64Array, a: Tensor, b: Tensor): number {
  const y = toFloat64(b);
  if (!differences.includes(Infinity)) return relative(differences, y);
  // Halves differ by half as much: where the difference of two numbers overflows, theirs does not.
  const x = toFloat64(a);
  return relative(
    x.map((v, i) => Math.abs(v / 2 - y[i] / 2)),
    y.map((v) => v / 2),
  );
}

/** All of them for two arrays of one shape, none of them empty. A float64 difference may be infinite. */
export function distances(a: Tensor, b: Tensor): Distances {
  const differences = absoluteDifferences(a, b);
  let sum = 0;
  for (let i = 0; i < differences.length; i++) sum += differences[i];
  const bothFloat32 = a.dtype === 'float32' && b.dtype === 'float32';
  return {
    meanAbs: bothFloat32 ? meanAbsFloat32(a.data, b.data) : sum / differences.length,
    maxAbs: largestOf(differences),
    relativeL2: relativeBy(differences, a, b),
    cosine: 1 - cosineDistance(a, b),
    maxUlp: largestOf(ulpDistances(a, b)),
  };
}
