import { findPlace } from '../../../align/judge/place.ts';
import { type Shape, sameShape, sizeOf } from '../../../tensor/shape.ts';
import { distanceOf, oursOf, wholeOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { type Numbers, numbersOf } from '../../numbers.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

/** Right and wrong elements of a suspect, as indices into what the reference holds of it. */
interface Sides {
  readonly wrong: readonly number[];
  /** The wrong ones, and the right ones of which it would be seen, were they wrong as these are. */
  readonly telling: readonly number[];
}

/** An element this many times beyond what all may be off in the root mean square is really wrong. */
const beyond = 10;

/** So many right elements, and so many times fewer than all, make a border of a small map no accident. */
const fewestRight = 16;

const errorAt = ({ ours, truth }: Numbers, i: number): number => Math.abs(ours[i] - truth[i]);

const allowedAt = ({ truth, unit, limit }: Numbers, i: number): number =>
  beyond * limit * Math.max(unit, Math.abs(truth[i]));

/** Undefined where all or nothing is wrong. */
function sidesOf(numbers: Numbers): Sides | undefined {
  const { truth } = numbers;
  const allowed = truth.map((_, i) => allowedAt(numbers, i));
  const off = (i: number): boolean => errorAt(numbers, i) > allowed[i];
  const indices = Array.from(truth.keys());
  const wrong = indices.filter(off);
  const [error, size] = wrong.reduce(
    ([e, t], i) => [e + errorAt(numbers, i) ** 2, t + truth[i] ** 2],
    [0, 0],
  );
  // Were an element wrong by as much of itself as these are, it would be seen.
  const part = Math.min(1, Math.sqrt(error / size));
  const telling = indices.filter((i) => off(i) || part * Math.abs(truth[i]) > allowed[i]);
  return wrong.length > 1 && wrong.length < telling.length ? { wrong, telling } : undefined;
}

/** Relative error of the elements that a mistake does not touch; undefined where it touches all. */
function leftOutside(numbers: Numbers, touches: (i: number) => boolean): number | undefined {
  let [squares, count] = [0, 0];
  for (let i = 0; i < numbers.truth.length; i++) {
    if (touches(i)) continue;
    squares += errorAt(numbers, i) ** 2;
    count++;
  }
  return count === 0 ? undefined : Math.sqrt(squares / count) / numbers.unit;
}

/** The letters of the axes where the reference names them, or what its place in a batch tells. */
function lettersOf({ axes, shape, kind }: Suspect, { batch }: Evidence): string | undefined {
  if (axes !== undefined) return axes;
  const images = kind === 'output' || kind === 'output gradient';
  if (!images || batch === undefined || shape[0] !== batch) return undefined;
  return shape.length === 4 ? 'NCHW' : `N${shape.slice(1).map((_, k) => k + 1)}`.replace(/,/g, '');
}

const isRow = (shape: Shape): boolean => shape.filter((extent) => extent > 1).length < 2;

/** How likely `few` of `all` numbers in a row lie side by side, were they anywhere. */
function runByChance(few: number, all: number): number {
  const choices = Array.from({ length: few }, (_, k) => (all - k) / (k + 1));
  return (all - few + 1) / choices.reduce((product, x) => product * x, 1);
}

const place: Hypothesis = {
  name: 'where',
  about: 'only a part is wrong: the border, one channel, one image, one class',
  fits(numbers, suspect, evidence): Fit[] {
    const { at, shape } = numbers;
    const sides = sidesOf(numbers);
    if (sides === undefined) return [];
    const { wrong, telling } = sides;
    const [bad, compared] = [wrong, telling].map((list) => list.map((i) => at[i]));
    const letters = lettersOf(suspect, evidence);
    const { words, covers, together, deep } = findPlace(bad, compared, shape, letters);
    // Indices here and there are where few that lie anywhere happen to lie.
    if (covers === undefined || !together) return [];
    if (bad.length === compared.filter(covers).length && isRow(shape)) {
      if (runByChance(bad.length, compared.length) > byChance) return [];
    }
    const inside = compared.filter(covers).length;
    const right = compared.length - inside;
    // A border of a small map is more than half of it; where what is inside is right, it is no accident.
    const enough = deep === undefined ? right >= telling.length / 2 : right >= fewestRight;
    if (!enough || wrong.length < inside / 2) return [];
    if (deep !== undefined && shape.length < 4) return [];
    const left = leftOutside(numbers, (i) => covers(at[i]));
    if (left === undefined) return [];
    const what = words.replace(/^only /, '');
    const hint = deep === undefined ? '' : `${deep > 1 ? '' : ', 1 deep'}: padding`;
    const says = `wrong only ${what}${hint}; all else is right`;
    return [{ key: `where ${what}`, says, left, freedom: 2 }];
  },
};

const stridesOf = (shape: Shape): number[] => shape.map((_, k) => sizeOf(shape.slice(k + 1)));

/** Whether an equal value lies in the window round a position: max pooling has two winners there. */
function tieAt(values: Float64Array, shape: Shape): (position: number) => boolean {
  const [h, w] = shape.slice(-2);
  const [down] = stridesOf(shape).slice(-2);
  return (position) => {
    const [row, column] = [Math.floor(position / down) % h, position % w];
    for (let y = -nearest; y <= nearest; y++) {
      for (let x = -nearest; x <= nearest; x++) {
        const inside = row + y >= 0 && row + y < h && column + x >= 0 && column + x < w;
        if (!inside || (x === 0 && y === 0)) continue;
        if (values[position + y * down + x] === values[position]) return true;
      }
    }
    return false;
  };
}

/** Windows of pooling reach so far. */
const nearest = 2;

interface Spot {
  readonly key: string;
  readonly says: (name: string) => string;
  readonly holds: (
    values: Float64Array,
    shape: Shape,
  ) => ((position: number) => boolean) | undefined;
}

/** Where a function has two answers, by its input. */
const spots: readonly Spot[] = [
  {
    key: 'where the input is 0',
    says: (name) =>
      `wrong only where ${name} is 0: a kink, at which the reference takes another side`,
    holds: (values) => (position) => values[position] === 0,
  },
  {
    key: 'where two are equal',
    says: (name) =>
      `wrong only where ${name} has two equal values side by side: a tie, of which the reference takes another winner`,
    holds: (values, shape) => (shape.length < 3 ? undefined : tieAt(values, shape)),
  },
];

/** Of pooling, winners come first. */
const spotsFor = ({ what }: Suspect): readonly Spot[] =>
  /pool/i.test(what ?? '') ? spots.toReversed() : spots;

/** All of a tensor: the reference's, or ours where the reference keeps a sample and ours agrees with it. */
function allOf(source: Held, evidence: Evidence): Float64Array | undefined {
  const own = oursOf(evidence, source);
  const numbers = own && numbersOf({ ...source, ours: evidence.ours(source.name)!, limit: 0 });
  return wholeOf(source) ?? (numbers && distanceOf(numbers) < agreeing ? own : undefined);
}

const agreeing = 1e-5;

const kink: Hypothesis = {
  name: 'kink or tie',
  about: "only where the layer's input is 0, or two winners are equal",
  fits(numbers, suspect, evidence): Fit[] {
    const { at, shape, truth } = numbers;
    const sides = sidesOf(numbers);
    if (sides === undefined) return [];
    const { wrong, telling } = sides;
    if (telling.length - wrong.length < fewestRight) return [];
    return evidence.from(suspect.name).flatMap((name): Fit[] => {
      const source = evidence.held(name);
      const values = source && sameShape(source.shape, shape) && allOf(source, evidence);
      if (!values) return [];
      return spotsFor(suspect).flatMap(({ key, says, holds }): Fit[] => {
        const there = holds(values, shape);
        if (there === undefined || !wrong.every((i) => there(at[i]))) return [];
        let among = 0;
        for (let i = 0; i < truth.length; i++) if (there(at[i])) among++;
        // Where most lie there, those that are wrong lie there by chance.
        if ((among / truth.length) ** wrong.length > byChance) return [];
        const left = leftOutside(numbers, (i) => there(at[i]));
        return left === undefined ? [] : [{ key, says: says(name), left, freedom: 2 }];
      });
    });
  },
};

const byChance = 0.01;

/** Nothing is said of what the mistake is, but where to look. The more telling place first. */
export const whereHypotheses: readonly Hypothesis[] = [kink, place];
