import { passed, type Verdict } from '../align/judge/verdict.ts';
import { printable } from '../io/names.ts';
import { counted, firstFew } from '../words.ts';
import { type Alike, byCause } from './causes.ts';
import { whyOf } from './whyFailed.ts';

export const failed = (verdict: Verdict): boolean => !passed(verdict);

const shownRoots = 3;
const shownNames = 6;

const namesOf = (list: readonly Verdict[]): string[] => list.map(({ name }) => name);

const few = (names: readonly string[]): string => firstFew(names.map(printable), shownNames);

/** What a failure is, in a few lines: a known cause beside its name; others of that cause by their names. */
function told({ first, all }: Alike<Verdict>): string[] {
  const { name, layer, what } = first;
  const { cause, numbers } = whyOf(first);
  const known = first.cause !== undefined;
  const inner = [
    ...(layer === undefined
      ? []
      : [`made by ${printable(layer)}${what === undefined ? '' : `: ${what}`}`]),
    ...(known || cause === undefined ? [] : cause.split('; ')),
    ...numbers.flatMap((text) => text.split('; ')),
    ...(all.length > 1 ? [`the same in ${few(namesOf(all.slice(1)))}`] : []),
  ];
  return [`✗ ${printable(name)}${known ? `: ${cause}` : ''}`, ...inner.map((line) => `  ${line}`)];
}

/** How the lines call things. */
export interface DivergenceWords {
  /** What was judged by. */
  readonly against: string;
  /** In which order the first is the first. */
  readonly order: string;
  readonly thing: string;
  /** What is the matter with those that are missing, where that is not their verdicts' words. */
  readonly lacking?: string;
}

const ofProbes: DivergenceWords = {
  against: 'PyTorch',
  order: 'in the order in which they are computed',
  thing: 'probe',
  lacking: 'not recorded, which --partial (partial: true) allows',
};

/** What was judged, and which of it there was nothing to compare with. */
interface Judged {
  readonly verdicts: readonly Verdict[];
  readonly missing: readonly string[];
}

/**
 * The first divergence in the order in which things are computed, then others that nothing before them explains, then
 * the names of what only inherits, and of what was not recorded. Of a port without a failure: that all is right.
 */
export function firstDivergence(
  { verdicts, missing }: Judged,
  { against, order, thing, lacking }: DivergenceWords = ofProbes,
): string[] {
  const names = new Set(missing);
  const judged = verdicts.filter(({ name }) => !names.has(name));
  const absent = verdicts.filter(({ name }) => names.has(name));
  const wrong = judged.filter(failed);
  const roots = wrong.filter(({ inherits }) => inherits === undefined);
  const groups = byCause(roots);
  const hidden = groups.slice(shownRoots).flatMap(({ all }) => all);
  const inherits = wrong.filter((v) => v.inherits !== undefined);
  const weak = judged.filter((v) => passed(v) && v.warning !== undefined).length;
  const little = weak === 0 ? '' : `, ${weak} of which ${weak === 1 ? 'proves' : 'prove'} little`;
  const head =
    wrong.length === 0
      ? `${counted(judged.length, 'tensor')} aligned with ${against}${little}`
      : `${wrong.length} of ${counted(judged.length, 'tensor')} ${wrong.length === 1 ? 'does' : 'do'} not align with ${against}; first ${order}:`;
  const reasons = new Set(absent.map(({ problem }) => problem));
  return [
    ...(judged.length > 0 || absent.length === 0 ? [head] : []),
    ...groups.slice(0, shownRoots).flatMap(told),
    ...(hidden.length > 0 ? [`also ${few(namesOf(hidden))}`] : []),
    ...(inherits.length > 0
      ? [`${inherits.length} more inherit it: ${few(namesOf(inherits))}`]
      : []),
    ...[...reasons].map((reason) => {
      const alike = namesOf(absent.filter(({ problem }) => problem === reason));
      return `✗ ${counted(alike.length, thing)} ${lacking ?? reason}: ${few(alike)}`;
    }),
  ];
}
