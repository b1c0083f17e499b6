import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import type { Expectation } from './expectation.ts';
import { oursAndPyTorch, type Sides } from './incomparable.ts';
import { type Override, withOverride } from './overrides/overrides.ts';
import { judgeBy } from './rules.ts';
import type { Verdict } from './verdict.ts';

/** What came of holding a recording against what was expected of it. */
export interface Judged {
  /** In the order of the expectations, which is the order in which things are computed. */
  readonly verdicts: readonly Verdict[];
  /** Both sides of everything compared, by name. */
  readonly ours: TensorMap;
  readonly pytorch: TensorMap;
}

/** Both sides of what was judged, whole, where something failed: for the diagnosis. */
export interface Failed {
  readonly recording: TensorMap;
  readonly expectations: readonly Expectation[];
}

/** What a program computed, in the order in which it did. */
export interface Recorded {
  readonly recording: TensorMap;
  /** What it could not compute, and why. */
  readonly leftOut?: ReadonlyMap<string, string>;
  /** Whose it is, and whose the expectations are. */
  readonly sides?: Sides;
}

/**
 * The only place where anything passes or fails. Every expectation has a verdict: a tensor that the recording
 * lacks fails, and so does one that nobody expects.
 */
export function judge(
  { recording, leftOut, sides = oursAndPyTorch }: Recorded,
  expectations: readonly Expectation[],
  overrides: readonly Override[] = [],
): Judged {
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const expected = new Set(expectations.map(({ name }) => name));
  const judged = expectations.map(({ name, layer, what, rule }): Verdict => {
    const named = { name, ...(layer && { layer }), ...(what && { what }) };
    const found = recording.get(name);
    if (rule.kind === 'refusal') return { ...named, checks: [], problem: rule.problem };
    if (found === undefined) {
      const problem = leftOut?.get(name) ?? `missing on ${sides.ours} side`;
      return { ...named, checks: [], problem };
    }
    const judgement = judgeBy(found, rule);
    ours.set(name, judgement.ours);
    pytorch.set(name, judgement.pytorch);
    return { ...named, ...judgement.finding };
  });
  const extra = [...recording.keys()].filter((name) => !expected.has(name));
  const unexpected = extra.map(
    (name): Verdict => ({ name, checks: [], problem: `missing on ${sides.theirs} side` }),
  );
  const verdicts = [...judged, ...unexpected].map((verdict) => withOverride(verdict, overrides));
  return { verdicts, ours, pytorch };
}
