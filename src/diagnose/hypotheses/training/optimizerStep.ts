import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import type { Chosen } from '../../optimizer/rule.ts';
import { ruleOf } from '../../optimizer/rules.ts';
import { nearest, rounded } from '../../optimizer/search.ts';
import { stepsOf } from '../../optimizer/steps.ts';
import { type Trial, trialOf } from '../../optimizer/trial.ts';

/** A fitted number on fewer elements is no proof, even where it is as round as people choose them. */
const fewestRound = 6;
const fewestFitted = 16;

/** What leaves no more than float32 rounds is as near as any. */
const rounding = 3e-7;
const asNear = 10;

/** Where one explains far more exactly than another, both within a limit, the other is not it. */
function nearestOf(fits: readonly Fit[]): Fit[] {
  const least = Math.min(...fits.map(({ left }) => left));
  return fits.filter(({ left }) => left <= Math.max(rounding, asNear * least));
}

/** A number of the step that is another one than the reference's: the roundest that does. */
function fitted(numbers: Numbers, trial: Trial, chosen: Chosen<unknown>): Fit[] {
  const wayOf = (value: number): object => chosen.how(value) as object;
  const solved = nearest(chosen, (value) => trial.offBy(wayOf(value)));
  const does = (value: number): boolean => {
    const left = trial.leftBy(wayOf(value));
    return left !== undefined && left <= numbers.limit;
  };
  const round = rounded(solved, does);
  if (round === undefined && numbers.truth.length < fewestFitted) return [];
  const value = round ?? solved;
  const left = trial.leftBy(wayOf(value));
  const { what, used, says } = chosen;
  const told = Number(value.toPrecision(3));
  if (left === undefined || told === used || !trial.everywhere(wayOf(value))) return [];
  return [
    {
      key: `step: ${what} ${value.toPrecision(2)}`,
      says: says?.(told) ?? `fits ${what} ${told}, the reference used ${used}`,
      left,
      freedom: 1,
    },
  ];
}

/** An optimizer's step computed again from what went into it, with one thing changed. */
const step: Hypothesis = {
  name: 'step',
  about:
    "an optimizer's step with one thing changed: momentum, weight decay, eps, a correction, a number",
  fits(numbers, suspect, evidence): Fit[] {
    const steps = stepsOf(numbers, suspect, evidence);
    const rule = ruleOf(steps?.settings.kind);
    const trial = steps && rule && trialOf(numbers, steps, rule, evidence);
    if (trial === undefined) return [];
    const right = rule!.right(steps!.settings);
    const named = rule!.variants(right).flatMap(({ key, says, how }): Fit[] => {
      const left = trial.leftBy(how);
      return left === undefined ? [] : [{ key: `step: ${key}`, says, left, freedom: 0 }];
    });
    if (named.some(({ left }) => left <= rounding) || numbers.truth.length < fewestRound)
      return nearestOf(named);
    const solved = rule!.chosen(right).flatMap((chosen) => fitted(numbers, trial, chosen));
    return nearestOf([...named, ...solved]);
  },
};

export const optimizerStepHypotheses: readonly Hypothesis[] = [step];
