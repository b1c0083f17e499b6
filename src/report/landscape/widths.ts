/** A ray of a landscape: where it begins, and the loss along it. */
export interface Ray {
  /** Which of the solutions it begins at, from 0. */
  readonly from: number;
  readonly ray: number;
  /** By distance, from 0. */
  readonly points: readonly (readonly [distance: number, loss: number])[];
}

/**
 * The distance at which the loss is first `factor` times what it is at the ray's beginning, taken as linear between
 * points; undefined where it is not that high as far as the ray goes.
 */
export function riseDistance({ points }: Pick<Ray, 'points'>, factor: number): number | undefined {
  const wanted = factor * points[0][1];
  for (const [i, [distance, loss]] of points.entries()) {
    // What is no finite number has risen.
    if (loss < wanted) continue;
    const [before, below] = points[Math.max(0, i - 1)];
    const rise = loss - below;
    if (!Number.isFinite(rise) || rise <= 0) return distance;
    return before + ((distance - before) * (wanted - below)) / rise;
  }
  return undefined;
}

/** The middle of the distances, those that were not reached counted as the farthest. */
export function medianDistance(distances: readonly (number | undefined)[]): number | undefined {
  const sorted = distances
    .map((distance) => distance ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
  const half = sorted.length / 2;
  const middle = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  return Number.isFinite(middle) ? middle : undefined;
}
