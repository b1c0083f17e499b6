import { type Cause, passed, type Verdict } from '../align/judge/verdict.ts';
import { oneLine } from '../io/names.ts';
import { shortNumber } from '../shortNumber.ts';
import { counted, firstFew } from '../words.ts';

const leftWords = (left: number): string => `left ${shortNumber(left)}`;

/**
 * What the mistake is, in one line: `128 × the reference's: summed over the batch, not averaged (explains 31 of 31
 * failing tensors, left 2.1e-7)`; or that nothing explains it, and what comes nearest. Undefined where nothing is told.
 */
export function causeWords({
  cause,
  nearest = [],
}: Pick<Verdict, 'cause' | 'nearest'>): string | undefined {
  if (cause !== undefined) {
    const { says, explains, of, left } = cause;
    return `${oneLine(says)} (explains ${explains} of ${counted(of, 'failing tensor')}, ${leftWords(left)})`;
  }
  if (nearest.length === 0) return undefined;
  const told = nearest.map(({ says, left }) => `${oneLine(says)} (${leftWords(left)})`);
  return `no cause explains it; the nearest: ${told.join(', or ')}`;
}

interface Named {
  readonly name: string;
  readonly cause?: Cause;
}

/** Failures of one cause: told once, by the first of them. What no cause explains is by itself. */
export interface Alike<T extends Named> {
  readonly first: T;
  /** With the first one. */
  readonly all: readonly T[];
}

/** In the order of the first ones; `within` says what must be alike besides: a model, a stage. */
export function byCause<T extends Named>(
  failures: readonly T[],
  within: (failure: T) => string = () => '',
): Alike<T>[] {
  const groups = new Map<string | T, T[]>();
  for (const failure of failures) {
    const { cause } = failure;
    const key =
      cause === undefined
        ? failure
        : JSON.stringify([within(failure), cause.hypothesis, cause.says]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [failure]);
    else group.push(failure);
  }
  return [...groups.values()].map((all) => ({ first: all[0], all }));
}

/** `features.3.weight.grad and 30 more` */
export const namesAlike = ({ all }: Alike<Named>): string =>
  firstFew(all.map(({ name }) => oneLine(name)));

/** A line for every cause, and for every failure that has none but was looked into: whose, and what it is. */
export const causeLines = (verdicts: readonly Verdict[]): string[] =>
  byCause(verdicts.filter((verdict) => !passed(verdict))).flatMap((alike) => {
    const words = causeWords(alike.first);
    return words === undefined ? [] : [`${namesAlike(alike)}: ${words}`];
  });
