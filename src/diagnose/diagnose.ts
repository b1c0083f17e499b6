import type { Cause, Verdict } from '../align/judge/verdict.ts';
import { passed } from '../align/judge/verdict.ts';
import { distanceOf } from './around.ts';
import { hypotheses } from './hypotheses/index.ts';
import { nonFiniteFits } from './hypotheses/numbers/nonFinite.ts';
import { decidedFits, otherwiseName } from './hypotheses/training/otherwise.ts';
import type { Fit, Hypothesis } from './hypothesis.ts';
import { numbersOf } from './numbers.ts';
import type { Evidence, Suspect } from './suspect.ts';

interface Named extends Fit {
  readonly hypothesis: string;
  /** Within the suspect's limit. */
  readonly accepted: boolean;
}

/** What does not take away half of the error is not worth telling. */
const worthTelling = 0.5;

/** Every way in which a suspect could have come to differ, in the order of the table. */
function fitsOf(suspect: Suspect, evidence: Evidence, table: readonly Hypothesis[]): Named[] {
  if (suspect.decided === true) {
    return decidedFits(suspect, evidence).map((fit) => ({
      ...fit,
      hypothesis: otherwiseName,
      accepted: true,
    }));
  }
  const numbers = numbersOf(suspect);
  if (numbers === undefined) return ofNoNumbers(suspect, evidence);
  const most = Math.max(numbers.limit, worthTelling * distanceOf(numbers));
  return table
    .flatMap(({ name, fits }) =>
      fits(numbers, suspect, evidence).map(
        (fit): Named => ({ ...fit, hypothesis: name, accepted: fit.left <= numbers.limit }),
      ),
    )
    .filter(({ left }) => left <= most && Number.isFinite(left));
}

/** Where ours has NaN or infinity, why: there is nothing to compare, but where they stand may tell. */
const ofNoNumbers = (suspect: Suspect, evidence: Evidence): Named[] =>
  nonFiniteFits(suspect, evidence)
    .map((fit) => ({ ...fit, hypothesis: 'not finite', accepted: fit.left <= suspect.limit }))
    .filter(({ accepted }) => accepted);

/** Failures beyond so many are not looked into: the first ones tell the mistake. */
const mostSuspects = 400;
const nearestTold = 2;

/** A key's claims among all suspects: what it explains, and what is left where it does so worst. */
interface Claim {
  readonly hypothesis: string;
  readonly freedom: number;
  readonly explains: ReadonlySet<string>;
}

function claimsOf(fits: ReadonlyMap<string, readonly Named[]>): Map<string, Claim> {
  const claims = new Map<string, { hypothesis: string; freedom: number; explains: Set<string> }>();
  for (const [name, found] of fits) {
    for (const { key, hypothesis, freedom, accepted } of found) {
      if (!accepted) continue;
      const claim = claims.get(key) ?? { hypothesis, freedom, explains: new Set() };
      claim.explains.add(name);
      claims.set(key, claim);
    }
  }
  return claims;
}

/**
 * What computes the tensor anew before what only looks at its numbers; then what explains the most of all that failed; of
 * two that explain as much the simpler, and what only tells a pattern where nothing else does.
 */
function best(found: readonly Named[], claims: ReadonlyMap<string, Claim>): Named | undefined {
  const rank = ({ key, freedom, recomputed }: Named): number[] => [
    freedom === 2 ? 1 : 0,
    recomputed ? 0 : 1,
    -claims.get(key)!.explains.size,
    freedom,
  ];
  return found
    .filter(({ accepted }) => accepted)
    .reduce<Named | undefined>((a, b) => {
      if (a === undefined) return b;
      const [x, y] = [rank(a), rank(b)];
      const at = x.findIndex((value, k) => value !== y[k]);
      return at >= 0 && y[at] < x[at] ? b : a;
    }, undefined);
}

/**
 * Says of every failure that nothing before it explains what the mistake is, where a row of the table explains its
 * numbers, and else which two come nearest. `suspectOf` gives what is known of a failed tensor; undefined where it has
 * no numbers to look at.
 */
export function diagnosed(
  verdicts: readonly Verdict[],
  suspectOf: (verdict: Verdict) => Suspect | undefined,
  evidence: Evidence,
  table: readonly Hypothesis[] = hypotheses,
): Verdict[] {
  const failed = verdicts.filter((verdict) => !passed(verdict));
  const fits = new Map(
    failed.slice(0, mostSuspects).flatMap((verdict) => {
      const suspect = suspectOf(verdict);
      return suspect === undefined
        ? []
        : [[verdict.name, fitsOf(suspect, evidence, table)] as const];
    }),
  );
  const claims = claimsOf(fits);
  const chosen = new Map([...fits].map(([name, found]) => [name, best(found, claims)]));
  const own = ownKeys(failed, chosen, evidence);
  return verdicts.map((verdict): Verdict => {
    const found = fits.get(verdict.name);
    if (passed(verdict) || found === undefined) return verdict;
    const cause = chosen.get(verdict.name);
    if (cause !== undefined) {
      // What only inherits is explained by what explains a failure before it, or not at all.
      return own.has(cause.key)
        ? { ...verdict, cause: causeOf(cause, claims, fits.size) }
        : verdict;
    }
    const near = found.toSorted((a, b) => a.left - b.left).slice(0, nearestTold);
    return verdict.inherits !== undefined || near.length === 0
      ? verdict
      : {
          ...verdict,
          nearest: near.map(({ hypothesis, says, left }) => ({ hypothesis, says, left })),
        };
  });
}

/**
 * The mistakes of failures that nothing before them explains: their keys. Where it is not known what a tensor is
 * computed from, only the first failure is sure to be one.
 */
function ownKeys(
  failed: readonly Verdict[],
  chosen: ReadonlyMap<string, Named | undefined>,
  { failedBefore }: Evidence,
): ReadonlySet<string> {
  const roots =
    failedBefore === undefined
      ? failed.filter(({ inherits }) => inherits === undefined)
      : failed.slice(0, 1);
  return new Set(roots.flatMap(({ name }) => chosen.get(name)?.key ?? []));
}

const causeOf = (
  { hypothesis, says, left, key }: Named,
  claims: ReadonlyMap<string, Claim>,
  of: number,
): Cause => ({ hypothesis, says, left, explains: claims.get(key)!.explains.size, of });
