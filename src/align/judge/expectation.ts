import type { Tensor } from '../../tensor/tensor.ts';
import type { CloseTolerance } from '../measure/allclose.ts';
import type { MeasureName } from '../measure/measures.ts';
import type { RecordedTensor } from '../reference/recorded.ts';
import type { Sides } from './incomparable.ts';
import type { Limit, Unit } from './limits.ts';

export interface Tolerance {
  /** Upper bound on ‖ours − truth‖ / ‖truth‖, whatever PyTorch's own. */
  readonly relativeL2: number;
  /**
   * For a tensor whose truth is zero but for rounding (a bias that batch norm cancels): the scale its
   * error is measured by instead, and what that scale is.
   */
  readonly scale?: { readonly value: number; readonly what: string };
  /**
   * True where the bound above is itself PyTorch's spread over several orders of summation: after steps of
   * training a single run's distance to the truth is chance, and no unit to measure ours by.
   */
  readonly bySpread?: boolean;
  /** What an error is counted in, where that is not PyTorch's own on the elements that were recorded. */
  readonly unit?: Unit;
  /** How many units pass, where that is not the usual number. */
  readonly ratio?: number;
  /** True where a truth that is the same everywhere is no sign of a bad reference: a gradient of a mean. */
  readonly constant?: boolean;
}

/**
 * By its distance to PyTorch's float64, in units of PyTorch's own float32 error there, and never beyond the upper
 * bound of the tolerance.
 */
export interface Float64Rule {
  readonly kind: 'float64';
  readonly record: RecordedTensor;
  readonly tolerance: Tolerance;
  /** Names of the tensor's axes, one letter each: `NCHW`. */
  readonly axes?: string;
  /** Also the mean absolute difference to PyTorch's float32, as reprod_log has it: the largest that passes. */
  readonly meanAbs?: number;
}

/** By one distance to what PyTorch computed. */
export interface DistanceRule {
  readonly kind: 'distance';
  readonly method: 'mean' | 'relative l2';
  /** What it is held against: PyTorch's float32, or its float64 where that is the truth to keep to. */
  readonly to: Tensor;
  readonly threshold: number;
  /** PyTorch's float32 and float64, for readers, where a single number is judged. */
  readonly beside?: { readonly pytorch: Tensor; readonly truth: Tensor };
  /** What the threshold is made of. */
  readonly because?: string;
}

/** To the bit, row by row: digests, numbers that are drawn or decided, predictions. */
export interface EqualityRule {
  readonly kind: 'equality';
  readonly to: Tensor;
  /** How messages call a row; its number where there are no words for it. */
  readonly row?: (index: number) => string;
  /** What a row is, in a note: `20 steps, by SHA-256`. */
  readonly what: string;
  /** Numbers this near are equal: a percentage computed by another division. */
  readonly within?: number;
  /** Why it proves nothing when all rows are alike. */
  readonly refuseConstant?: string;
}

/** In units of the last place of the largest term that an element was added up from. */
export interface UlpRule {
  readonly kind: 'ulp';
  readonly to: Tensor;
  /** The largest such term, element by element. */
  readonly scales: Float64Array;
  readonly threshold: number;
  /** What `to` is, where it is not PyTorch's. */
  readonly because?: string;
}

/** By measures of two arrays of one type and shape, each with the largest value that passes. */
export interface MeasuresRule {
  readonly kind: 'measures';
  readonly to: Tensor;
  readonly limits: readonly { readonly method: MeasureName; readonly threshold: number }[];
  /** For `allclose`. */
  readonly tolerance: CloseTolerance;
  readonly sides: Sides;
}

/** By its relative error to float64, where the largest that passes is known beforehand. */
export interface RelativeRule {
  readonly kind: 'relative';
  /** What the reference holds of it. */
  readonly record?: RecordedTensor;
  /** The whole truth, where it is known: what a sample cannot show counts too. */
  readonly truth?: Tensor;
  readonly scale?: Tolerance['scale'];
  readonly limit: Limit;
}

/** How one tensor of a recording is judged, as data. */
export type TensorRule =
  | Float64Rule
  | DistanceRule
  | EqualityRule
  | UlpRule
  | MeasuresRule
  | RelativeRule;

/** What cannot be measured, whatever was recorded: it fails, and says why. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly problem: string;
}

export type Rule = TensorRule | Refusal;

/** One tensor that a recording must hold. */
export interface Expectation {
  /** Its name in the recording, and the verdict's. */
  readonly name: string;
  /** Layer whose work it is, where the name does not say it. */
  readonly layer?: string;
  /** What that layer is. */
  readonly what?: string;
  readonly rule: Rule;
}
