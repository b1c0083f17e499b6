import type { Module } from '../nn/module.ts';
import type { Seed } from '../torch/seed.ts';
import { type Direction, randomDirection } from './directions.ts';
import { axisAround, evenly, type Plane, spanOf, type Three } from './plane.ts';
import { combination, type WeightVector } from './weightVector.ts';

/** Where a point lies: numbers by the name of their column, and whose solution it is where it is one. */
export interface Place {
  /** Which of the solutions lies here, from 0. */
  readonly solution?: number;
  readonly at: Readonly<Record<string, number>>;
}

/** A point to be measured. */
export interface PlacedWeights extends Place {
  weights(): WeightVector;
}

const solutionsAt = (
  vectors: readonly WeightVector[],
  at: (k: number) => Place['at'],
): PlacedWeights[] =>
  vectors.map((vector, solution) => ({ solution, at: at(solution), weights: () => vector }));

/**
 * Points of the line through two solutions, by their distance from the second (SWA's), towards the first positive:
 * `count` of them from `margin` before the second to `margin` behind the first, as a share of their distance, and
 * the two themselves.
 */
export function placesOnLine(
  [first, second]: readonly [WeightVector, WeightVector],
  apart: number,
  { margin, count }: { readonly margin: number; readonly count: number },
): PlacedWeights[] {
  const steps = evenly(-margin, 1 + margin, count).filter((t) => t !== 0 && t !== 1);
  const between = steps.map((t) => ({
    at: { distance: t * apart },
    weights: () =>
      combination([
        [t, first],
        [1 - t, second],
      ]),
  }));
  return [...solutionsAt([first, second], (k) => ({ distance: k === 0 ? apart : 0 })), ...between];
}

/**
 * Where a plane is measured: `count` values of x and as many of y, around the three points by `margin`, a share of the
 * longer of their spans. So three points that are nearly on a line, as an average and what it averages, are seen
 * with what lies beside them.
 */
export function planeAxes(
  { corners }: Plane,
  { margin, count }: { readonly margin: number; readonly count: number },
): { readonly xs: readonly number[]; readonly ys: readonly number[] } {
  const [x, y] = [corners.map(([at]) => at), corners.map(([, at]) => at)];
  const wide = margin * Math.max(spanOf(x), spanOf(y));
  return { xs: axisAround(x, wide, count), ys: axisAround(y, wide, count) };
}

/** The three points of a plane, then its grid row by row, from the least y. */
export function placesOnPlane(
  vectors: Three<WeightVector>,
  plane: Plane,
  { xs, ys }: ReturnType<typeof planeAxes>,
): PlacedWeights[] {
  const grid = ys.flatMap((y) =>
    xs.map((x) => ({
      at: { x, y },
      weights: () => {
        const shares = plane.shares(x, y);
        return combination(vectors.map((vector, k) => [shares[k], vector]));
      },
    })),
  );
  const corner = (k: number) => ({ x: plane.corners[k][0], y: plane.corners[k][1] });
  return [...solutionsAt(vectors, corner), ...grid];
}

/**
 * Rays from every solution in the same random directions: `count` distances from 0 to `reach` each. What lies at
 * distance 0 is measured once a solution.
 */
export function placesOnRays(
  model: Module,
  vectors: readonly WeightVector[],
  {
    rays,
    seed,
    reach,
    count,
  }: {
    readonly rays: number;
    readonly seed: Seed;
    readonly reach: number;
    readonly count: number;
  },
): PlacedWeights[] {
  let last: { readonly ray: number; readonly direction: Direction } | undefined;
  const directionOf = (ray: number): Direction => {
    if (last?.ray !== ray) last = { ray, direction: randomDirection(model, seed, ray - 1) };
    return last.direction;
  };
  const away = evenly(0, reach, count).slice(1);
  const onRays = Array.from({ length: rays }, (_, k) => k + 1).flatMap((ray) =>
    vectors.flatMap((vector, from) =>
      away.map((t) => ({
        at: { ray, from: from + 1, distance: t },
        weights: () => {
          const { vector: direction, scale } = directionOf(ray);
          return combination([
            [1, vector],
            [t * scale, direction],
          ]);
        },
      })),
    ),
  );
  return [...solutionsAt(vectors, (k) => ({ ray: 0, from: k + 1, distance: 0 })), ...onRays];
}
