import { distanceOf, explains } from './around.ts';
import type { Fit } from './hypothesis.ts';
import type { Numbers } from './numbers.ts';

type Told = Pick<Fit, 'key' | 'says'>;

/** Something that a tensor may hold once too often, or not at all: ours − truth is a number times it. */
export interface Term {
  /** At the places at which the suspect's truth is known. */
  readonly values: Float64Array;
  /** Numbers of times that have a meaning, and what each means. */
  readonly known: readonly (Told & { readonly by: number })[];
  /** What any other number means; undefined where nobody would choose it. Without it none is looked for. */
  readonly fitted?: (by: number) => Told | undefined;
}

/** A fitted number on fewer is no proof, even where it is as round as people choose them. */
const fewestRound = 6;
const fewestFitted = 16;
/** What the weight of a term is spread over: what a single element holds is a multiple of anything. */
const leastSpread = 2;
const wellSpread = 8;
/** Of what is not well spread, so much of the difference may be left. */
const mostLeft = 0.03;

const round = (by: number): number => Number(by.toPrecision(2));

/** So many places are looked at before all are. */
const firstLook = 64;

/** Whether the difference may be a multiple of the term, by a few places spread over all of them. */
function mayBe(difference: Float64Array, values: Float64Array, noise: number): boolean {
  const step = Math.max(1, Math.floor(values.length / firstLook));
  let [dd, dt, tt, count] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i += step, count++) {
    dd += difference[i] * difference[i];
    dt += difference[i] * values[i];
    tt += values[i] * values[i];
  }
  if (tt === 0 || dd === 0) return true;
  return dd - (dt * dt) / tt <= Math.max(dd / 4, count * 9 * noise * noise);
}

/** √(mean (difference − by·values)²) */
function rest(difference: Float64Array, values: Float64Array, by: number): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (difference[i] - by * values[i]) ** 2;
  return Math.sqrt(squares / values.length);
}

/** The least squares' number, and of how many elements' weight it is. */
function fitOf(difference: Float64Array, values: Float64Array): { by: number; weight: number } {
  let [dt, tt, fourth] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const square = values[i] * values[i];
    dt += difference[i] * values[i];
    tt += square;
    fourth += square * square;
  }
  return { by: dt / tt, weight: (tt * tt) / fourth };
}

/** What the terms explain of a difference: a number that means something before any other. */
export function termFits(numbers: Numbers, terms: readonly Term[]): Fit[] {
  const { ours, truth, unit, limit } = numbers;
  const difference = ours.map((x, i) => x - truth[i]);
  const distance = distanceOf(numbers);
  return terms.flatMap(({ values, known, fitted }): Fit[] => {
    if (!mayBe(difference, values, limit * unit)) return [];
    const found = known.flatMap(({ by, key, says }): Fit[] => {
      const left = rest(difference, values, by) / unit;
      return by !== 0 && explains(numbers, left, distance) ? [{ key, says, left, freedom: 0 }] : [];
    });
    if (fitted === undefined || values.length < fewestRound) return found;
    if (found.some(({ left }) => left <= limit)) return found;
    const solved = fitOf(difference, values);
    if (!Number.isFinite(solved.by) || solved.weight < leastSpread) return found;
    const roundLeft = rest(difference, values, round(solved.by)) / unit;
    const isRound = roundLeft <= limit;
    const by = isRound ? round(solved.by) : solved.by;
    const left = isRound ? roundLeft : rest(difference, values, by) / unit;
    if (values.length < fewestFitted && !isRound) return found;
    if (solved.weight < wellSpread && left > distance * mostLeft) return found;
    if (!explains(numbers, left, distance)) return found;
    // A multiple of what is the same everywhere is an offset, whatever it came from.
    const means = values.every((x) => x === values[0]) ? undefined : fitted(by);
    return means === undefined ? found : [...found, { ...means, left, freedom: 1 }];
  });
}
