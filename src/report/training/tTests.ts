import { spreadOf } from './statistics.ts';
import { power, twoSided } from './tDistribution.ts';

/** A two-sided test whether two means differ. */
export interface TTest {
  readonly test: "Welch's t" | 'paired t';
  /** How many values on each side; of pairs, how many pairs. */
  readonly n: readonly number[];
  /** First mean minus second, in the values' own unit. */
  readonly difference: number;
  readonly standardError: number;
  readonly t: number;
  readonly df: number;
  /** The probability of such a t, or one farther from 0, were the means equal. */
  readonly p: number;
  /** How probably the test finds a difference of `relevant` at `level`, were the spread what it is here. */
  readonly power: number;
}

/** Percentage points: a smaller spread is what subtracting and averaging round. */
const noSpread = 1e-9;

export const level = 0.05;
/** Percentage points. */
export const relevant = 1;

type Estimate = Pick<TTest, 'test' | 'n' | 'difference' | 'standardError' | 'df'>;

const tested = (of: Estimate): TTest => {
  const t = of.difference / of.standardError;
  return {
    ...of,
    t,
    p: twoSided(t, of.df),
    power: power(relevant / of.standardError, of.df, level),
  };
};

/** Whether two independent samples have one mean, whatever their spreads. Undefined below two values, or without spread. */
export function welch(a: readonly number[], b: readonly number[]): TTest | undefined {
  const [x, y] = [spreadOf(a), spreadOf(b)];
  if (x?.sd === undefined || y?.sd === undefined) return undefined;
  const [u, v] = [x.sd ** 2 / x.n, y.sd ** 2 / y.n];
  if (Math.sqrt(u + v) < noSpread) return undefined;
  return tested({
    test: "Welch's t",
    n: [x.n, y.n],
    difference: x.mean - y.mean,
    standardError: Math.sqrt(u + v),
    // Welch 1947, Satterthwaite 1946.
    df: (u + v) ** 2 / (u ** 2 / (x.n - 1) + v ** 2 / (y.n - 1)),
  });
}

/** Whether differences, one a pair, have mean 0. Undefined below two pairs, or without spread. */
export function paired(differences: readonly number[]): TTest | undefined {
  const found = spreadOf(differences);
  if (found?.sd === undefined || found.sd < noSpread) return undefined;
  const { n, mean, sd } = found;
  return tested({
    test: 'paired t',
    n: [n],
    difference: mean,
    standardError: sd / Math.sqrt(n),
    df: n - 1,
  });
}
