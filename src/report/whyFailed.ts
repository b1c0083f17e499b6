import type { Check, Verdict, Worst } from '../align/judge/verdict.ts';
import { shortNumber } from '../shortNumber.ts';
import { counted, firstFew } from '../words.ts';

const reasonOf = ({ method, value, threshold, note }: Check): string =>
  `${method} ${shortNumber(value)} > ${shortNumber(threshold)}${note === undefined ? '' : ` (${note})`}`;

/** `worst at [0, 3]: 1.25, PyTorch 1.5 (float64 1.5000001); 31 of 4096 beyond the limit, only in channel 3` */
export function worstWords(worst: Worst): string {
  const { index, ours, pytorch, truth, beyond, of, place, sides } = worst;
  const both =
    sides === undefined
      ? `${ours}, PyTorch ${pytorch}`
      : `${sides.ours} ${ours}, ${sides.theirs} ${pytorch}`;
  const exact = truth === undefined ? '' : ` (float64 ${truth})`;
  return `worst at [${index.join(', ')}]: ${both}${exact}; ${beyond} of ${of} beyond the limit${place === undefined ? '' : `, ${place}`}`;
}

const leftWords = (left: number): string => `left ${shortNumber(left)}`;

/** What the mistake is: `the cause: transposed (explains 3 of 3 failing tensors, left 2.1e-7)`; or what comes nearest. */
export function causeWords({ cause, nearest = [] }: Pick<Verdict, 'cause' | 'nearest'>): string[] {
  if (cause !== undefined) {
    const { says, explains, of, left } = cause;
    return [
      `the cause: ${says} (explains ${explains} of ${counted(of, 'failing tensor')}, ${leftWords(left)})`,
    ];
  }
  const told = nearest.map(({ says, left }) => `${says} (${leftWords(left)})`).join(', or ');
  return nearest.length === 0 ? [] : [`no cause explains it; the nearest: ${told}`];
}

/** Why a verdict failed, in one line. */
export function whyFailed({
  name,
  layer,
  what,
  problem,
  checks,
  worst,
  inherits,
  ...rest
}: Verdict): string {
  const of = what === undefined ? '' : ` (${what})`;
  const maker = layer === undefined || layer === name ? '' : `made by ${layer}${of}: `;
  const by = inherits === undefined ? maker : `inherits from ${firstFew(inherits)}: ${maker}`;
  const causes = causeWords(rest);
  if (problem !== undefined) return by + [problem, ...causes].join('; ');
  const reasons = checks.filter((c) => !c.passed).map(reasonOf);
  if (reasons.length === 0) return `${by}nothing was checked`;
  return `${by}${[...causes, ...reasons, ...(worst === undefined ? [] : [worstWords(worst)])].join('; ')}`;
}
