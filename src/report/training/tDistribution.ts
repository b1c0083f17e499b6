/*
 * Student's t distribution, central and not: T = (Z + δ) / S with Z normal and ν·S² chi-squared. With S = eˣ the density
 * of x is ∝ exp(νx − ν·e²ˣ/2), and P(T ≤ t) is the mean of Φ(t·S − δ) over it. That integrand falls off at both ends and
 * is smooth, so sums over equal steps converge beyond all digits; dividing by the density's own sum spares its constant.
 */

const steps = 480;
/** Where the density is left out: e⁻⁴⁵ of its peak. */
const negligible = 45;

/** Φ(−z) for z ≥ 0 by the continued fraction of Mills' ratio, evaluated from inside. */
function upperTail(z: number): number {
  let fraction = z;
  for (let k = 60; k >= 1; k--) fraction = z + k / fraction;
  return Math.exp((-z * z) / 2) / (Math.sqrt(2 * Math.PI) * fraction);
}

/** Φ(z) − 1/2 by its series of positive terms: z·φ(z)·(1 + z²/3 + z⁴/15 + …). */
function aboveHalf(z: number): number {
  let [term, sum] = [z, z];
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** Φ(z): the probability that a standard normal number is at most z. */
export function normalBelow(z: number): number {
  if (z < -4) return upperTail(-z);
  return z > 4 ? 1 - upperTail(z) : 0.5 + aboveHalf(z);
}

/** P(T ≤ t) with `df` degrees of freedom, any number above 0, and noncentrality `shift`. */
export function tBelow(t: number, df: number, shift = 0): number {
  const lowest = -negligible / df - 0.5;
  const excess = (2 * negligible) / df;
  const highest = Math.log(1 + 2 * excess + 2 * Math.sqrt(2 * excess)) / 2;
  let [weights, sum] = [0, 0];
  for (let i = 0; i <= steps; i++) {
    const x = lowest + ((highest - lowest) * i) / steps;
    const weight = Math.exp(df * (x - Math.expm1(2 * x) / 2));
    weights += weight;
    sum += weight * normalBelow(t * Math.exp(x) - shift);
  }
  return sum / weights;
}

/** The probability of a t at least as far from 0, on either side, where nothing differs. */
export const twoSided = (t: number, df: number): number => 2 * tBelow(-Math.abs(t), df);

/** The t beyond which `twoSided` is below `level`. */
export function criticalT(df: number, level: number): number {
  let [low, high] = [0, 1];
  while (twoSided(high, df) > level) high *= 2;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (twoSided(middle, df) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How probably a two-sided test at `level` finds a difference of `shift` standard errors. */
export function power(shift: number, df: number, level: number): number {
  const limit = criticalT(df, level);
  return tBelow(-limit, df, shift) + tBelow(-limit, df, -shift);
}
