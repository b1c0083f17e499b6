import { tolerances } from './tolerances.ts';

/** A largest error that passes, and why it is that. */
export interface Limit {
  readonly value: number;
  readonly why: string;
}

/** Relative error of one rounding to float32. */
export const float32Rounding = 2 ** -24;

const short = (x: number): string => x.toExponential(1);

/** What one of our errors is counted in, and what that is. */
export interface Unit {
  readonly value: number;
  readonly what: string;
}

/**
 * The unit of a ratio, for stages and trace alike: PyTorch's own float32 error; its largest in other orders of
 * summation, `rounding`, where that was recorded and is more; and one rounding where PyTorch is nearer to the truth
 * than that (it copies, it cuts to zero, it was lucky). NaN where one of them is.
 */
export function unitOf(pytorch: number, rounding = 0): Unit {
  const value = Math.max(pytorch, rounding, float32Rounding);
  if (rounding === value) return { value, what: `PyTorch's ${short(rounding)} in other orders` };
  if (pytorch === value) return { value, what: `PyTorch's own error ${short(pytorch)}` };
  return { value, what: 'a float32 rounding, PyTorch being within one' };
}

/**
 * The largest error to float64 that passes beside PyTorch's own, and never more than `bar`: a reference on which
 * PyTorch itself lost its way must not widen the gate.
 */
export function limitBeside(unit: Unit, bar: number): Limit {
  const value = tolerances.ratio * unit.value;
  if (value > bar) return { value: bar, why: 'the upper bound for this kind of model' };
  return { value, why: `${tolerances.ratio} × ${unit.what}` };
}
