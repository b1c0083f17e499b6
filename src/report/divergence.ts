import { passed, type Verdict } from '../align/judge/verdict.ts';
import type { ProbesJudged } from '../align/probes/judgeProbes.ts';
import { printable } from '../io/names.ts';
import { counted, firstFew } from '../words.ts';
import { whyFailed } from './whyFailed.ts';

export const failed = (verdict: Verdict): boolean => !passed(verdict);

const shownRoots = 3;
const shownNames = 6;

const namesOf = (list: readonly Verdict[]): string[] => list.map(({ name }) => name);

/** What one failure is, in a few lines. */
function told(verdict: Verdict): string[] {
  const { name, layer, what } = verdict;
  const { layer: _, ...rest } = verdict;
  return [
    `✗ ${printable(name)}`,
    ...(layer === undefined
      ? []
      : [`  made by ${printable(layer)}${what === undefined ? '' : `: ${what}`}`]),
    ...whyFailed(rest)
      .split('; ')
      .map((line) => `  ${line}`),
  ];
}

const few = (names: readonly string[]): string => firstFew(names.map(printable), shownNames);

/**
 * The first divergence in the order in which things are computed, then others that nothing before them explains, then
 * the names of what only inherits, and of what was not recorded. Of a port without a failure: that all is right.
 */
export function firstDivergence({ verdicts, missing }: ProbesJudged): string[] {
  const lacking = new Set(missing);
  const judged = verdicts.filter(({ name }) => !lacking.has(name));
  const wrong = judged.filter(failed);
  const roots = wrong.filter(({ inherits }) => inherits === undefined);
  const inherits = wrong.filter((v) => v.inherits !== undefined);
  const weak = judged.filter((v) => passed(v) && v.warning !== undefined).length;
  const little = weak === 0 ? '' : `, ${weak} of which ${weak === 1 ? 'proves' : 'prove'} little`;
  const lacked = verdicts.length > judged.length;
  const head =
    wrong.length === 0
      ? `${counted(judged.length, 'tensor')} aligned with PyTorch${little}`
      : `${wrong.length} of ${counted(judged.length, 'tensor')} ${wrong.length === 1 ? 'does' : 'do'} not align with PyTorch; first in the order in which they are computed:`;
  return [
    head,
    ...roots.slice(0, shownRoots).flatMap(told),
    ...(roots.length > shownRoots ? [`also ${few(namesOf(roots.slice(shownRoots)))}`] : []),
    ...(inherits.length > 0
      ? [`${inherits.length} more inherit it: ${few(namesOf(inherits))}`]
      : []),
    ...(lacked
      ? [
          `✗ ${counted(missing.length, 'probe')} not recorded, which --partial allows: ${few(missing)}`,
        ]
      : []),
  ];
}
