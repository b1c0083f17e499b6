import { toFloat64 } from '../../tensor/tensor.ts';
import { distanceOf, explains, leftToOurs, picked } from '../around.ts';
import { leftOf, type Numbers } from '../numbers.ts';
import type { Evidence } from '../suspect.ts';
import type { Rule, State } from './rule.ts';
import { atPlaces, type Steps, type Way } from './steps.ts';

/** A suspect's steps, to be made again in one way or another. A way is what it changes of the right one. */
export interface Trial {
  /** What is left of ours by a way; undefined where it explains nothing, or not what is recorded beside the suspect. */
  readonly leftBy: (way: object) => number | undefined;
  /** How far off it is, of all that is recorded: the less the nearer. By some of the places. */
  readonly offBy: (way: object) => number;
  /** Whether what it changes is what is otherwise in ours, nearly everywhere. */
  readonly everywhere: (way: object) => boolean;
}

/** So many places tell a step that is another one; all are looked at where these agree. */
const firstLook = 256;

/** What a tensor beside the suspect may be off, in units of the suspect's limit: it has a limit of its own. */
const beside = 10;

/** What a float32 may have been rounded by on its way through a few operations, over itself. */
const roundings = 8 * 2 ** -23;

const fewestMoved = 6;
const most = { ofStep: 1 / 20, elsewhere: 1 / 10 };

const sizeOf = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

const difference = (a: Float64Array, b: Float64Array): number => sizeOf(a.map((x, i) => x - b[i]));

const offOf = (values: Float64Array, to: Float64Array): number => {
  const off = difference(values, to);
  return off === 0 ? 0 : off / sizeOf(to);
};

/** What came out on our side, at a suspect's places, by what it is. */
type Found = Readonly<Record<string, Float64Array>>;

function besideOf(numbers: Numbers, { results, result }: Steps, { ours }: Evidence): Found {
  const found = Object.entries(results).flatMap(([key, name]) => {
    const value = key === result ? undefined : ours(name);
    const values = value && atPlaces(numbers, toFloat64(value));
    return values === undefined ? [] : [[key, values] as const];
  });
  return Object.fromEntries(found);
}

const each = (values: Found, f: (values: Float64Array) => Float64Array): Found =>
  Object.fromEntries(Object.entries(values).map(([key, of]) => [key, f(of)]));

/** Every n-th place of what is known. */
function thinning(length: number): (values: Float64Array) => Float64Array {
  const every = Math.ceil(length / firstLook);
  const at = Int32Array.from({ length: Math.ceil(length / every) }, (_, k) => k * every);
  return (values) => picked(values, at);
}

/**
 * Undefined where the right steps do not give what the reference holds, which are not understood then, or where they
 * give ours, which is no mistake of theirs.
 */
export function trialOf(
  numbers: Numbers,
  steps: Steps,
  rule: Rule<unknown>,
  evidence: Evidence,
): Trial | undefined {
  const { result, first, settings } = steps;
  const right = rule.right(settings) as object;
  const run = ({ start, gradients }: Way, way: object = {}): State => {
    const how = { ...right, ...way };
    return gradients.reduce((state, g, k) => rule.step(how, state, g, first + k), start);
  };
  const recorded = run(steps.truth)[result];
  if (recorded === undefined || leftOf(numbers, (i) => recorded[i]) > numbers.limit)
    return undefined;
  const again = run(steps.ours);
  if (leftToOurs(numbers, (i) => again[result][i]) <= numbers.limit) return undefined;
  const others = besideOf(numbers, steps, evidence);
  const thin = thinning(numbers.truth.length);
  const few = {
    way: { start: each(steps.ours.start, thin), gradients: steps.ours.gradients.map(thin) },
    ours: thin(numbers.ours),
    again: thin(again[result]),
    others: each(others, thin),
  };
  const distance = distanceOf(numbers);
  const allowed = Object.entries(others).map(([key, values]) => ({
    key,
    values,
    off: Math.max(beside * numbers.limit, offOf(again[key], values) / 3),
  }));
  return {
    leftBy(way) {
      const some = difference(run(few.way, way)[result], few.ours) / Math.sqrt(few.ours.length);
      // NaN is no explanation either.
      if (!(some <= Math.max(beside * numbers.limit, distance / 2) * numbers.unit))
        return undefined;
      const state = run(steps.ours, way);
      const left = leftToOurs(numbers, (i) => state[result][i]);
      const agrees = allowed.every(({ key, values, off }) => offOf(state[key], values) <= off);
      return agrees && explains(numbers, left, distance) ? left : undefined;
    },
    offBy(way) {
      const state = run(few.way, way);
      return Object.entries(few.others).reduce(
        (sum, [key, values]) => sum + offOf(state[key], values) ** 2,
        offOf(state[result], few.ours) ** 2,
      );
    },
    everywhere: (way) => movedAlike(few.ours, few.again, run(few.way, way)[result]),
  };
}

/**
 * Whether a change is that of ours element by element, not only of the few that weigh most: a number can make anything
 * of a single one. Of those that it moves far beyond rounding nearly all must have moved by as much.
 */
function movedAlike(ours: Float64Array, again: Float64Array, changed: Float64Array): boolean {
  let [moved, otherwise] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const noise = roundings * Math.max(Math.abs(ours[i]), Math.abs(again[i]));
    const by = Math.abs(changed[i] - again[i]);
    if (by <= 10 * noise) continue;
    moved++;
    if (!(Math.abs(changed[i] - ours[i]) <= noise + by * most.ofStep)) otherwise++;
  }
  return moved >= fewestMoved && otherwise <= moved * most.elsewhere;
}
