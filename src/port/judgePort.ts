import type { Verdict } from '../align/judge/verdict.ts';
import { type JudgeOptions, judgeProbes, type ProbesJudged } from '../align/probes/judgeProbes.ts';
import type { RuleOptions } from '../align/probes/rule.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { failed, firstDivergence } from '../report/divergence.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import { checkOptions, checkReference, type Recording, tensorsOf } from './judgeArguments.ts';

/** What the judge says of a port, as data. */
export interface Verdicts extends ProbesJudged {
  readonly passed: boolean;
  /** Failures that nothing before them explains, in the order in which things are computed. */
  readonly diverges: readonly Verdict[];
  /** The first divergence and what is computed from it, for people. */
  readonly message: string;
  /** How long judging took. */
  readonly seconds: number;
}

export type { Recording };

/** Says of verdicts that failed what the mistake is: `diagnose`. */
export type Diagnosis = (
  verdicts: readonly Verdict[],
  recording: TensorMap,
  reference: ProbeReference,
  options: RuleOptions,
) => Verdict[];

export interface PortJudgeOptions extends JudgeOptions {
  /** In Node it is there; a page that wants causes gives `diagnose`, and pays for its size only then. */
  readonly diagnose?: Diagnosis;
}

/**
 * Holds what a port computed against a reference: every probe to `ratio` (4) times PyTorch's own error to float64.
 * Throws InputError where the two have no name in common, UsageError for a pattern that fits nothing and for what is
 * no recording, reference or option.
 */
export function judge(
  recording: Recording,
  reference: ProbeReference,
  { diagnose, ...options }: PortJudgeOptions = {},
): Verdicts {
  const began = performance.now();
  checkReference(reference);
  checkOptions(options);
  const tensors = tensorsOf(recording);
  const found = judgeProbes(tensors, reference, options);
  const verdicts = diagnose?.(found.verdicts, tensors, reference, options) ?? found.verdicts;
  const judged = { ...found, verdicts };
  const wrong = verdicts.filter(failed);
  return {
    ...judged,
    passed: wrong.length === 0 && verdicts.length > 0,
    diverges: wrong.filter(({ inherits }) => inherits === undefined),
    message: firstDivergence(judged).join('\n'),
    seconds: (performance.now() - began) / 1000,
  };
}
