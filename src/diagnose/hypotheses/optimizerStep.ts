import { toFloat64 } from '../../tensor/tensor.ts';
import { distanceOf, explains, leftToOurs, picked } from '../around.ts';
import type { Fit, Hypothesis } from '../hypothesis.ts';
import { leftOf, type Numbers } from '../numbers.ts';
import type { Chosen, Rule, State } from '../optimizer/rule.ts';
import { ruleOf } from '../optimizer/rules.ts';
import { nearest, rounded } from '../optimizer/search.ts';
import { atPlaces, type Steps, stepsOf, type Way } from '../optimizer/steps.ts';
import type { Evidence } from '../suspect.ts';

/** So many places tell a step that is another one; all are looked at where these agree. */
const firstLook = 256;

/** A fitted number on fewer elements is no proof, even where it is as round as people choose them. */
const fewestRound = 6;
const fewestFitted = 16;

/** What a tensor beside the suspect may be off, in units of the suspect's limit: it has a limit of its own. */
const beside = 10;

/** What a float32 may have been rounded by on its way through a few operations, over itself. */
const roundings = 8 * 2 ** -23;

/**
 * Whether a change is that of ours element by element, not only of the few that weigh most: a number can make anything
 * of a single one. Of those that it moves far beyond rounding nearly all must have moved by as much.
 */
function everywhere(ours: Float64Array, again: Float64Array, changed: Float64Array): boolean {
  let [telling, agreeing] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const noise = roundings * Math.max(Math.abs(ours[i]), Math.abs(again[i]));
    const by = Math.abs(changed[i] - again[i]);
    if (by <= 10 * noise) continue;
    telling++;
    if (Math.abs(changed[i] - ours[i]) <= noise + by / 20) agreeing++;
  }
  return telling >= fewestRound && agreeing >= 0.9 * telling;
}

/** What leaves no more than float32 rounds is as near as any. */
const rounding = 3e-7;
const asNear = 10;

/** Where one explains far more exactly than another, both within a limit, the other is not it. */
function nearestOf(fits: readonly Fit[]): Fit[] {
  const least = Math.min(...fits.map(({ left }) => left));
  return fits.filter(({ left }) => left <= Math.max(rounding, asNear * least));
}

/** What came out on our side beside a suspect, at its places; undefined where it was not recorded. */
type Others = readonly (readonly [key: string, ours: Float64Array])[];

function othersOf(numbers: Numbers, { results, result }: Steps, { ours }: Evidence): Others {
  return Object.entries(results).flatMap(([key, name]) => {
    const found = key === result ? undefined : ours(name);
    const values = found && atPlaces(numbers, toFloat64(found));
    return values === undefined ? [] : [[key, values] as const];
  });
}

function run(rule: Rule<unknown>, how: unknown, first: number, { start, gradients }: Way): State {
  return gradients.reduce((state, g, k) => rule.step(how, state, g, first + k), start);
}

const offOf = (values: Float64Array, to: Float64Array): number => {
  let [squares, size] = [0, 0];
  for (let i = 0; i < to.length; i++) {
    squares += (values[i] - to[i]) ** 2;
    size += to[i] ** 2;
  }
  return squares === 0 ? 0 : Math.sqrt(squares / size);
};

/** Every n-th place of all that is known. */
function thinned(numbers: Numbers, { start, gradients }: Way, again: Float64Array, others: Others) {
  const every = Math.ceil(numbers.truth.length / firstLook);
  const at = Int32Array.from(
    { length: Math.ceil(numbers.truth.length / every) },
    (_, k) => k * every,
  );
  const of = (values: Float64Array): Float64Array => picked(values, at);
  const way: Way = {
    start: Object.fromEntries(Object.entries(start).map(([key, values]) => [key, of(values)])),
    gradients: gradients.map(of),
  };
  return {
    way,
    ours: of(numbers.ours),
    again: of(again),
    others: others.map(([k, values]) => [k, of(values)] as const),
  };
}

/** An optimizer's step computed again from what went into it, with one thing changed. */
const step: Hypothesis = {
  name: 'step',
  about:
    "an optimizer's step with one thing changed: momentum, weight decay, eps, a correction, a number",
  fits(numbers, suspect, evidence): Fit[] {
    const steps = stepsOf(numbers, suspect, evidence);
    const rule = ruleOf(steps?.settings.kind);
    if (steps === undefined || rule === undefined) return [];
    const { result, first, settings, truth, ours } = steps;
    const right = rule.right(settings) as object;
    const recorded = run(rule, right, first, truth)[result];
    // A step that is not understood is not told from another.
    if (recorded === undefined || leftOf(numbers, (i) => recorded[i]) > numbers.limit) return [];
    const others = othersOf(numbers, steps, evidence);
    const again = run(rule, right, first, ours);
    if (leftToOurs(numbers, (i) => again[result][i]) <= numbers.limit) return [];
    const few = thinned(numbers, ours, again[result], others);
    const distance = distanceOf(numbers);
    const offBeside = new Map(others.map(([key, values]) => [key, offOf(again[key], values)]));
    const agrees = (state: State): boolean =>
      others.every(([key, values]) => {
        const most = Math.max(beside * numbers.limit, offBeside.get(key)! / 3);
        return offOf(state[key], values) <= most;
      });
    /** What is left of ours by a step; undefined where it explains nothing, or not what is beside it. */
    const leftBy = (how: object): number | undefined => {
      const whole = { ...right, ...how };
      const some = run(rule, whole, first, few.way)[result];
      const most = Math.max(beside * numbers.limit, distance / 2) * numbers.unit;
      if (!(rmsOff(some, few.ours) <= most)) return undefined;
      const state = run(rule, whole, first, ours);
      const left = leftToOurs(numbers, (i) => state[result][i]);
      return explains(numbers, left, distance) && agrees(state) ? left : undefined;
    };
    const named = rule.variants(right).flatMap(({ key, says, how }): Fit[] => {
      const left = leftBy(how);
      return left === undefined ? [] : [{ key: `step: ${key}`, says, left, freedom: 0 }];
    });
    if (named.some(({ left }) => left <= rounding) || numbers.truth.length < fewestRound)
      return nearestOf(named);
    const offBy = (how: object): number => {
      const state = run(rule, { ...right, ...how }, first, few.way);
      return few.others.reduce(
        (most, [key, values]) => most + offOf(state[key], values) ** 2,
        offOf(state[result], few.ours) ** 2,
      );
    };
    const fitted = rule.chosen(right).flatMap((chosen: Chosen<unknown>): Fit[] => {
      const solved = nearest(chosen, (value) => offBy(chosen.how(value) as object));
      const leftAt = (value: number) => leftBy(chosen.how(value) as object);
      const round = rounded(solved, (value) => (leftAt(value) ?? Infinity) <= numbers.limit);
      if (round === undefined && numbers.truth.length < fewestFitted) return [];
      const value = round ?? solved;
      const left = leftAt(value);
      const { what, used, says } = chosen;
      const told = Number(value.toPrecision(3));
      if (left === undefined || told === used) return [];
      const other = run(rule, { ...right, ...(chosen.how(value) as object) }, first, few.way);
      if (!everywhere(few.ours, few.again, other[result])) return [];
      return [
        {
          key: `step: ${what} ${value.toPrecision(2)}`,
          says: says?.(told) ?? `fits ${what} ${told}, the reference used ${used}`,
          left,
          freedom: 1,
        },
      ];
    });
    return nearestOf([...named, ...fitted]);
  },
};

const rmsOff = (values: Float64Array, to: Float64Array): number => {
  let squares = 0;
  for (let i = 0; i < to.length; i++) squares += (values[i] - to[i]) ** 2;
  return Math.sqrt(squares / to.length);
};

export const optimizerStepHypotheses: readonly Hypothesis[] = [step];
