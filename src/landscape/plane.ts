import { UsageError } from '../errors.ts';
import { distance, innerProduct, lengthOf, type Term, type WeightVector } from './weightVector.ts';

/** Three points in weight space. */
export type Three<T> = readonly [T, T, T];

/**
 * The plane through three points. Its origin is the first, its x axis points to the second, its y axis to the side on
 * which the third lies: u = w2 − w1, v = (w3 − w1) − ⟨w3 − w1, u⟩/‖u‖² u, as in Garipov et al. 2018 and Izmailov et
 * al. 2018. One unit on either axis is one unit of Euclidean distance between weights.
 */
export interface Plane {
  /** Where the three points lie in it. */
  readonly corners: Three<readonly [x: number, y: number]>;
  /** How much of each of the three makes the point at (x, y); the shares add up to 1. */
  shares(x: number, y: number): Three<number>;
}

/** What rounding to float32, a few times, makes of weights of length 1: a distance that is no direction. */
const rounding = 2 ** -22;

const minus = (a: WeightVector, b: WeightVector, factor = 1): Term[] => [
  [factor, a],
  [-factor, b],
];

/** Throws UsageError where the three, called by their names, lie on a line. */
export function planeThrough([a, b, c]: Three<WeightVector>, names: Three<string>): Plane {
  const [u, w] = [distance(b, a), distance(c, a)];
  const onLine = (why = ''): UsageError =>
    new UsageError(`the three points are on one line${why}`, {
      where: names.join(', '),
      fix: 'name three that are not on one line',
    });
  const same = (one: number, other: number): UsageError =>
    onLine(`: ${names[one]} and ${names[other]} are the same weights`);
  if (u === 0) throw same(0, 1);
  if (w === 0) throw same(0, 2);
  if (distance(b, c) === 0) throw same(1, 2);
  const along = innerProduct(minus(c, a), minus(b, a)) / u ** 2;
  const v = lengthOf([...minus(c, a), ...minus(b, a, -along)]);
  const longest = Math.max(...[a, b, c].map((vector) => lengthOf([[1, vector]])));
  if (v <= rounding * longest) throw onLine();
  return {
    corners: [
      [0, 0],
      [u, 0],
      [along * u, v],
    ],
    shares(x, y) {
      const third = y / v;
      const second = x / u - third * along;
      return [1 - second - third, second, third];
    },
  };
}

/** `count` places from `from` to `to`, both included and exact. */
export const evenly = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    i === count - 1 ? to : from + ((to - from) * i) / (count - 1),
  );

/** `count` places on an axis that holds all of `values`, and `wide` more on each side. */
export function axisAround(values: readonly number[], wide: number, count: number): number[] {
  return evenly(Math.min(...values) - wide, Math.max(...values) + wide, count);
}

/** From the least to the largest. */
export const spanOf = (values: readonly number[]): number =>
  Math.max(...values) - Math.min(...values);
