import type { ProbeKind } from '../align/reference/probe.ts';
import type { RecordedTensor } from '../align/reference/recorded.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { GivenSteps } from './optimizer/given.ts';
import type { Settings } from './optimizer/rule.ts';
import type { Variant } from './otherwise/variant.ts';

/** A tensor as a reference holds it: whole, or some of it. */
export interface Held {
  readonly name: string;
  readonly shape: Shape;
  readonly record: Pick<RecordedTensor, 'pytorch' | 'truth' | 'moments'>;
  readonly kind?: ProbeKind;
  /** Whose work it is, and what that layer is in PyTorch's words. */
  readonly layer?: string;
  readonly what?: string;
  /** Names of its axes, one letter each. */
  readonly axes?: string;
}

/** A tensor of ours that failed. */
export interface Suspect extends Held {
  /** Whole, in its own shape, which need not be the reference's. */
  readonly ours: Tensor;
  /** The largest relative error that passes. */
  readonly limit: number;
  /** What errors are measured by instead of the truth's size, where that is zero but for rounding. */
  readonly scale?: number;
  /** True of a list that is decided or drawn, a step, batch or epoch a row: numbers or digests, to the bit. */
  readonly decided?: boolean;
}

/** What is known around a suspect. */
export interface Evidence {
  /** What the reference holds under a name. */
  readonly held: (name: string) => Held | undefined;
  /** Everything of a shape that it holds, in the order in which it is computed. */
  readonly alike: (shape: Shape) => readonly Held[];
  /** Everything that it holds. */
  readonly all?: () => readonly Held[];
  /** Every draw that it holds, in the order in which they were drawn. */
  readonly draws?: () => readonly Held[];
  /** What our side computed under a name. */
  readonly ours: (name: string) => Tensor | undefined;
  /** Names of what a tensor is computed from. */
  readonly from: (name: string) => readonly string[];
  /** Where it is not known what a tensor is computed from: what failed before it, which may be that. */
  readonly failedBefore?: (name: string) => readonly string[];
  /** Of a mean over ranks: each rank's own numbers, in float32, at the places that the reference holds of the mean. */
  readonly ranks?: (name: string) => readonly Float64Array[] | undefined;
  /** Samples in a batch, where that is known. */
  readonly batch?: number;
  /** What a tensor would be, were one thing done otherwise. */
  readonly variants?: (name: string) => Iterable<Variant>;
  /** Settings of the optimizer by torch.optim's names: `lr`, `weight_decay`; `kind` is which one. */
  readonly optimizer?: Settings;
  /** The same for one parameter by its name after a step, where groups of them have other settings. */
  readonly optimizerOf?: (parameter: string) => Settings | undefined;
  /** The steps that made a weight or what is kept beside it, where both sides were given all that went into them. */
  readonly steps?: (name: string) => GivenSteps | undefined;
}
