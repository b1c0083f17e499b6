import type { PassOpName } from './passOps.ts';

/** A tensor that is read and not computed. */
export interface NamedSource {
  readonly from: 'state' | 'input' | 'head';
  readonly name: string;
}

/** A number that is read and not computed. */
export type NumberSource = NamedSource | { readonly from: 'constant'; readonly value: number };

/** What a pass summed up: by its number, in its order. */
export interface SumSource {
  readonly from: 'sum';
  readonly pass: number;
  readonly at: number;
}

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
  readonly tensors: readonly NamedSource[];
  readonly scalars: readonly NumberSource[];
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
    readonly scalars: readonly (NumberSource | SumSource)[];
    readonly steps: readonly Step[];
    /** Which value each fetch is. */
    readonly fetched: ReadonlyMap<string, number>;
  };
}
