/** How a function is cut into levels. */
export interface LevelOptions {
  /** How many steps from the least value to the largest. */
  readonly count: number;
  /** Values above are taken for this. */
  readonly clip?: number;
  /**
   * The natural logarithm of the first step above the least value; the further ones grow by one factor up to the largest
   * value. A number below the logarithm of what the values span.
   */
  readonly firstLog: number;
}

/** The values as they are drawn: what is above the clip, or no number, lies on it. */
export const clipped = (value: number, clip: number): number =>
  Number.isNaN(value) ? clip : Math.min(value, clip);

/** The largest value that is drawn: the clip where values reach it, else the largest of them. */
export function drawnMost(values: readonly number[], clip = Number.POSITIVE_INFINITY): number {
  const numbers = values.filter(Number.isFinite);
  const most = numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const least = numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  // Everything would lie on a clip below all values.
  return clip > least ? Math.min(most, clip) : most;
}

/**
 * Levels whose distances from the least value are the terms of a geometric series, as in the pictures of Garipov et al.
 * 2018 and Izmailov et al. 2018: dense where the function is low and flat. Without the least value itself, on which
 * no line lies; none where all values are the same.
 */
export function contourLevels(
  values: readonly number[],
  { count, clip, firstLog }: LevelOptions,
): number[] {
  const least = values.filter(Number.isFinite).reduce((a, b) => Math.min(a, b), Infinity);
  const most = drawnMost(values, clip);
  if (!(most > least)) return [];
  const span = Math.log(most - least);
  // The authors' first step is for losses of some hundredths; what spans less is cut likewise by ratio.
  const first = Math.min(firstLog, span - count / 2);
  return Array.from(
    { length: count - 1 },
    (_, i) => least + Math.exp(first + ((span - first) * (i + 1)) / count),
  );
}

/** The levels in as few digits as tell them apart, three at least where they have them. */
export function levelLabels(levels: readonly number[]): string[] {
  for (let digits = 3; ; digits++) {
    const labels = levels.map((level) => String(Number(level.toPrecision(digits))));
    if (new Set(labels).size === levels.length || digits === 17) return labels;
  }
}
