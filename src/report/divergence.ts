import { passed, type Verdict } from '../align/judge/verdict.ts';
import type { ProbesJudged } from '../align/probes/judgeProbes.ts';
import { printable } from '../io/names.ts';
import { counted } from '../words.ts';
import { whyFailed } from './whyFailed.ts';

export const failed = (verdict: Verdict): boolean => !passed(verdict);

const shownRoots = 3;
const shownNames = 6;

const names = (list: readonly Verdict[]): string => {
  const more = list.length - shownNames;
  const first = list.slice(0, shownNames).map(({ name }) => printable(name));
  return first.join(', ') + (more > 0 ? ` and ${more} more` : '');
};

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

/**
 * The first divergence in the order in which things are computed, then others that nothing before them explains, then
 * the names of what only inherits. Of a port without a failure: that all is right.
 */
export function firstDivergence({ verdicts, missing }: ProbesJudged): string[] {
  const wrong = verdicts.filter(failed);
  if (wrong.length === 0) return [`${counted(verdicts.length, 'tensor')} aligned with PyTorch`];
  const lacking = new Set(missing);
  const apart = wrong.filter(({ name }) => !lacking.has(name));
  const roots = apart.filter(({ inherits }) => inherits === undefined);
  const inherits = apart.filter((v) => v.inherits !== undefined);
  const right = verdicts.length - wrong.length;
  return [
    `${counted(wrong.length, 'tensor')} of ${verdicts.length} ${wrong.length === 1 ? 'does' : 'do'} not align with PyTorch, ${right} do; first in the order in which they are computed:`,
    ...roots.slice(0, shownRoots).flatMap(told),
    ...(roots.length > shownRoots ? [`also ${names(roots.slice(shownRoots))}`] : []),
    ...(inherits.length > 0 ? [`${inherits.length} more inherit it: ${names(inherits)}`] : []),
    ...(missing.length > 0
      ? [
          `not recorded: ${missing.slice(0, shownNames).map(printable).join(', ')}${missing.length > shownNames ? ` and ${missing.length - shownNames} more` : ''}`,
        ]
      : []),
  ];
}
