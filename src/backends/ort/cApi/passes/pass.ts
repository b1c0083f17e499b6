import type { PassOpName } from './passOps.ts';

/** Where a value comes from that is read and not computed. */
export type Source =
  | { readonly from: 'state' | 'input' | 'head'; readonly name: string }
  | { readonly from: 'constant'; readonly value: number }
  /** What the pass of this number summed up, in its order. */
  | { readonly from: 'sum'; readonly pass: number; readonly at: number };

/** An operation; its operands are numbers of values: first what is read, then what the steps before it gave. */
export interface Step {
  readonly op: PassOpName;
  readonly operands: readonly number[];
}

/**
 * One walk over tensors of one size that computes several elementwise operations: every element is read once and
 * written once, however many there are. Values are numbered: `tensors`, `scalars`, then `steps`.
 */
export interface Pass {
  readonly size: number;
  readonly tensors: readonly Source[];
  readonly scalars: readonly Source[];
  readonly steps: readonly Step[];
  /** What is written over the state's values. */
  readonly writes: readonly { readonly state: string; readonly value: number }[];
  /** Values whose elements are added up. */
  readonly sums: readonly number[];
}

/** What of a program is left to passes, behind the part that an engine runs. */
export interface Tail {
  readonly passes: readonly Pass[];
  /** Single numbers from the sums of passes; values are numbered: `scalars`, then `steps`. */
  readonly numbers: {
    readonly scalars: readonly Source[];
    readonly steps: readonly Step[];
    /** Which value each fetch is. */
    readonly fetched: ReadonlyMap<string, number>;
  };
}
