import { findPlace } from '../../align/judge/place.ts';
import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import type { Fit, Hypothesis } from '../hypothesis.ts';
import type { Numbers } from '../numbers.ts';
import type { Evidence, Suspect } from '../suspect.ts';

/** Right and wrong elements of a suspect, as indices into what the reference holds of it. */
interface Sides {
  readonly wrong: readonly number[];
  /** The wrong ones, and the right ones that could have been wrong: they are not zero on both sides. */
  readonly telling: readonly number[];
}

/** An element may be further off than all are in the root mean square. */
const spread = 2;

/** The wrong ones are this many times beyond what may be, or it is no place but the tail of an error everywhere. */
const beyond = 10;

/** So many right elements, and so many times fewer than all, make a border of a small map no accident. */
const fewestRight = 16;

const errorAt = ({ ours, truth }: Numbers, i: number): number => Math.abs(ours[i] - truth[i]);

const allowedAt = ({ truth, unit, limit }: Numbers, i: number): number =>
  spread * limit * Math.max(unit, Math.abs(truth[i]));

/** Undefined where all or nothing is wrong, or the wrong ones hardly are. */
function sidesOf(numbers: Numbers): Sides | undefined {
  const { truth, unit, limit } = numbers;
  const [wrong, telling]: [number[], number[]] = [[], []];
  let squares = 0;
  for (let i = 0; i < truth.length; i++) {
    const [error, allowed] = [errorAt(numbers, i), allowedAt(numbers, i)];
    if (error > allowed) {
      wrong.push(i);
      telling.push(i);
      squares += error * error;
    } else if (Math.abs(truth[i]) > allowed) telling.push(i);
  }
  const size = Math.sqrt(squares / wrong.length) / unit;
  return wrong.length > 1 && wrong.length < telling.length && size > beyond * limit
    ? { wrong, telling }
    : undefined;
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

const place: Hypothesis = {
  name: 'where',
  about: 'only a part is wrong: the border, one channel, one image, one class',
  fits(numbers, suspect, evidence): Fit[] {
    const { at, shape } = numbers;
    const sides = sidesOf(numbers);
    if (sides === undefined) return [];
    const { wrong, telling } = sides;
    const [bad, compared] = [wrong, telling].map((list) => list.map((i) => at[i]));
    const { words, covers, deep } = findPlace(bad, compared, shape, lettersOf(suspect, evidence));
    if (covers === undefined) return [];
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

const kink: Hypothesis = {
  name: 'kink or tie',
  about: "only where the layer's input is 0, or two winners are equal",
  fits(numbers, suspect, evidence): Fit[] {
    const { at, shape, truth } = numbers;
    const sides = sidesOf(numbers);
    if (sides === undefined) return [];
    const { wrong, telling } = sides;
    if (telling.length - wrong.length < telling.length / 2) return [];
    return evidence.from(suspect.name).flatMap((name): Fit[] => {
      const source = evidence.held(name);
      if (source === undefined || source.shape.join() !== shape.join()) return [];
      const values = toFloat64(source.record.pytorch);
      if (values.length !== sizeOf(shape)) return [];
      return spots.flatMap(({ key, says, holds }): Fit[] => {
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
