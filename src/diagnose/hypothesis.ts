import type { Numbers } from './numbers.ts';
import type { Evidence, Suspect } from './suspect.ts';

/** One way in which a tensor could have come to differ, and what is left when that is undone. */
export interface Fit {
  /** The same mistake in another tensor has the same key. */
  readonly key: string;
  /** For a person, without the tensor's name: `128 × the reference's: summed over the batch, not averaged`. */
  readonly says: string;
  /** Relative error to the truth that is left, by the suspect's own scale. */
  readonly left: number;
  /**
   * How much was chosen to make it fit: 0 nothing but the kind of mistake, 1 a number, 2 no number is named at all and
   * only a pattern is. Of what explains as many tensors, the least wins.
   */
  readonly freedom: 0 | 1 | 2;
  /** The tensor was computed anew from what it is made of: that is told before what only looks at its numbers. */
  readonly recomputed?: true;
}

/** A row of the table: a kind of mistake. */
export interface Hypothesis {
  readonly name: string;
  /** What it looks for, in one sentence. */
  readonly about: string;
  readonly fits: (numbers: Numbers, suspect: Suspect, evidence: Evidence) => readonly Fit[];
}
