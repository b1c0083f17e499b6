const { fround } = Math;

/**
 * a·b + c rounded once to float32, for float32 a, b and c, as one FMA instruction gives it.
 *
 * The product of two float32 is exact in float64, so `fround(a * b + c)` errs only where rounding
 * the sum to float64 lands exactly midway between two float32: there the lost part decides.
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  if (c === 0) return fround(product + c);
  const sum = product + c;
  const rounded = fround(sum);
  const across = sum + (sum - rounded);
  if (across === rounded || fround(across) !== across) return rounded;
  const shadow = sum - product;
  const lost = product - (sum - shadow) + (c - shadow);
  if (lost === 0) return rounded;
  return lost > 0 ? Math.max(rounded, across) : Math.min(rounded, across);
}
