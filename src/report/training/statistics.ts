/** A sample's mean and spread. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, over n − 1; a single value has none. */
  readonly sd?: number;
}

/** Undefined for no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, sd: Math.sqrt(squares / (n - 1)) };
}

/** `93.25 ± 0.16`, as the paper prints it. */
export function spreadText(spread: Spread | undefined, decimals = 2): string {
  if (spread === undefined) return '–';
  const { mean, sd } = spread;
  return sd === undefined
    ? mean.toFixed(decimals)
    : `${mean.toFixed(decimals)} ± ${sd.toFixed(decimals)}`;
}
