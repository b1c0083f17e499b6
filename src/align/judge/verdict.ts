/** What was measured and how it was judged: the vocabulary all stages and reports share. */
import type { Distances } from '../measure/distance.ts';
import type { Sides } from './incomparable.ts';

/** How a value is judged. The text is what a log line says before "diff". */
export type CheckMethod =
  | 'mean' // mean |a − b| against PyTorch's float32
  | 'max' // largest |a − b|
  | 'min' // smallest |a − b|
  | 'relative' // ‖a − b‖ / ‖b‖
  | 'cosine' // 1 − cos of the angle between a and b
  | 'allclose' // largest share of atol + rtol·|b| that an |a − b| uses up
  | 'relative l2' // ‖a − truth‖ / ‖truth‖ against PyTorch's float64
  | 'ratio' // that error in units of PyTorch's own
  | 'scaled' // RMS of the difference over the scale named in the check's note
  | 'ulp' // numbers of their own type between, or units in the last place of the largest term
  | 'moments' // sum, sum of squares, extremes of a tensor recorded as a sample
  | 'equal'; // number of elements that differ

export interface Check {
  readonly method: CheckMethod;
  readonly value: number;
  /** Largest value that passes. */
  readonly threshold: number;
  readonly passed: boolean;
  /** PyTorch's float32, by the same measure. */
  readonly pytorch?: number;
  readonly note?: string;
}

/** A decision (a ReLU's sign, a pooling's winner) that rounding took the other way on our side. */
export interface Flip {
  /** Layer that decides: `features.1`. */
  readonly layer: string;
  /** Flat index into its output. */
  readonly element: number;
  /** How far the true value is from the kink, over the RMS of the layer's input. */
  readonly margin: number;
}

/** The element that is furthest off, and how many are off by more than is allowed. */
export interface WorstElement {
  readonly index: readonly number[];
  /** A bigint where it is an integer that a number cannot hold. */
  readonly ours: number | bigint;
  /** PyTorch's float32 there. */
  readonly pytorch: number | bigint;
  /** PyTorch's float64 there, where it is known. */
  readonly truth?: number;
  readonly beyond: number;
  /** Elements that were compared. */
  readonly of: number;
  /** What those beyond have in common: `everywhere`, `only at [:, 3] of axis C`. */
  readonly place?: string;
  /** Whose `ours` and `pytorch` are, where not ours and PyTorch's. */
  readonly sides?: Sides;
}

/** What explains why a tensor differs, and how well. Made by `diagnose/`. */
export interface Cause {
  /** Name of the row in the table of hypotheses. */
  readonly hypothesis: string;
  /** `128 × the reference's: summed over the batch, not averaged` */
  readonly says: string;
  /** Relative error that is left when the mistake is undone. */
  readonly left: number;
  /** How many of the failing tensors it explains, this one among them, and of how many. */
  readonly explains: number;
  readonly of: number;
}

/** All checks of one named thing: a tensor, a loss, a digest. */
export interface Verdict {
  readonly name: string;
  /** Layer whose work it is, where the name does not say it: a gradient is made by the layer behind. */
  readonly layer?: string;
  /** What that layer is, in PyTorch's words. */
  readonly what?: string;
  readonly checks: readonly Check[];
  /** Why nothing could be measured: a missing key, another shape, NaN. Always a failure. */
  readonly problem?: string;
  readonly distances?: Distances;
  /** Of a tensor that failed. */
  readonly worst?: WorstElement;
  /** Decisions rounding took the other way, whose effect was taken out before judging. */
  readonly flips?: readonly Flip[];
  /** Why it proves little although it was judged. */
  readonly warning?: string;
  /** Tensors it is computed from that had failed before: what failed here may be theirs. */
  readonly inherits?: readonly string[];
  /** What the mistake is, where something explains the numbers. */
  readonly cause?: Cause;
  /** Where nothing does: what comes nearest, the nearest first. */
  readonly nearest?: readonly Pick<Cause, 'hypothesis' | 'says' | 'left'>[];
  /** A limit set by hand that applied here. */
  readonly override?: { readonly tensor: string; readonly limit: number; readonly reason: string };
}

/** NaN never passes. */
export const check = (
  method: CheckMethod,
  value: number,
  threshold: number,
  more: Pick<Check, 'pytorch' | 'note'> = {},
): Check => ({ method, value, threshold, passed: value <= threshold, ...more });

export const passed = ({ problem, checks }: Pick<Verdict, 'problem' | 'checks'>): boolean =>
  problem === undefined && checks.length > 0 && checks.every((c) => c.passed);
