import type { Check, Verdict, WorstElement } from '../align/judge/verdict.ts';
import { shortNumber } from '../shortNumber.ts';
import { firstFew } from '../words.ts';
import { causeWords } from './causes.ts';

const reasonOf = ({ method, value, threshold, note }: Check): string =>
  `${method} ${shortNumber(value)} > ${shortNumber(threshold)}${note === undefined ? '' : ` (${note})`}`;

/** `worst at [0, 3]: 1.25, PyTorch 1.5 (float64 1.5000001); 31 of 4096 beyond the limit, only in channel 3` */
export function worstWords(worst: WorstElement): string {
  const { index, ours, pytorch, truth, beyond, of, place, sides } = worst;
  const both =
    sides === undefined
      ? `${ours}, PyTorch ${pytorch}`
      : `${sides.ours} ${ours}, ${sides.theirs} ${pytorch}`;
  const exact = truth === undefined ? '' : ` (float64 ${truth})`;
  return `worst at [${index.join(', ')}]: ${both}${exact}; ${beyond} of ${of} beyond the limit${place === undefined ? '' : `, ${place}`}`;
}

/** A failure in pieces, each of which may be a line. */
interface Why {
  /** What the mistake is, or what comes nearest. */
  readonly cause?: string;
  /** Whose work it is, where the name does not say so. */
  readonly maker?: string;
  /** By how much it fails, and where most. */
  readonly numbers: readonly string[];
}

const numbersOf = ({ problem, checks, worst }: Verdict): string[] => {
  if (problem !== undefined) return [problem];
  const reasons = checks.filter((c) => !c.passed).map(reasonOf);
  if (reasons.length === 0) return ['nothing was checked'];
  return [...reasons, ...(worst === undefined ? [] : [worstWords(worst)])];
};

/** Why a verdict failed, piece by piece. */
export function whyOf(verdict: Verdict): Why {
  const { name, layer, what } = verdict;
  const cause = causeWords(verdict);
  const of = what === undefined ? '' : ` (${what})`;
  return {
    ...(cause !== undefined && { cause }),
    ...(layer !== undefined && layer !== name && { maker: `made by ${layer}${of}` }),
    numbers: numbersOf(verdict),
  };
}

/** The same without what the mistake is, in one line. */
export function numbersFailed(verdict: Verdict): string {
  const { maker, numbers } = whyOf(verdict);
  const { inherits } = verdict;
  const from = inherits === undefined ? [] : [`inherits from ${firstFew(inherits)}`];
  return [...from, ...(maker === undefined ? [] : [maker]), numbers.join('; ')].join(': ');
}

/** Why a verdict failed, in one line: what the mistake is, then the numbers. */
export function whyFailed(verdict: Verdict): string {
  const { cause } = whyOf(verdict);
  return [...(cause === undefined ? [] : [cause]), numbersFailed(verdict)].join('; ');
}
