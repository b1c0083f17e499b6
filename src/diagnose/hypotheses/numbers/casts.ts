import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';

interface Cast {
  readonly key: string;
  readonly says: string;
  readonly of: (x: number) => number;
  /** Of which numbers there must be some. */
  readonly where?: (x: number) => boolean;
}

const modulo = (x: number, n: number): number => x - n * Math.floor(x / n);

const wrapped = (name: string, width: number, lowest: number): Cast => ({
  key: `wrapped ${name}`,
  says: `kept in ${name}: what does not fit into it is wrapped round by ${2 ** width}`,
  of: (x) => modulo(Math.trunc(x) - lowest, 2 ** width) + lowest,
});

/** What becomes of a number that is put into a type of integers. The first that fits is told. */
const casts: readonly Cast[] = [
  { key: 'truncated', says: 'cut to integers, towards zero', of: Math.trunc },
  { key: 'floor', says: 'rounded down to integers', of: Math.floor },
  { key: 'rounded', says: 'rounded to integers', of: Math.round },
  wrapped('uint8', 8, 0),
  wrapped('int8', 8, -128),
  wrapped('uint16', 16, 0),
  wrapped('int16', 16, -32768),
  {
    key: 'clipped uint8',
    says: 'clipped to 0 … 255',
    of: (x) => Math.min(255, Math.max(0, x)),
    // What only loses its sign went through a ReLU.
    where: (x) => x > 255,
  },
];

/** From one integer to the next, at least. */
const step = 1;

const fewest = 8;
const fewestValues = 3;

const cast: Hypothesis = {
  name: 'integers',
  about: 'truncated, rounded, wrapped round or clipped by a type of integers',
  fits(numbers): Fit[] {
    const { ours, truth, unit, limit } = numbers;
    if (truth.length < fewest || new Set(ours).size < fewestValues) return [];
    if (leftOf(numbers, (i) => ours[i]) <= limit) return [];
    // A truth that rounding puts on the other side of an integer is no other number; one that is made of integers is.
    const integers = truth.filter(Number.isInteger).length;
    const off = integers > truth.length / 2 ? 0 : limit * unit;
    const fitting = casts.flatMap(({ key, says, of, where }): Fit[] => {
      if (where !== undefined && !truth.some(where)) return [];
      const nearest = (i: number): number => {
        const plain = of(truth[i]);
        const beside = [truth[i] - off, truth[i] + off].map(of);
        const made = [plain, ...beside.filter((x) => Math.abs(x - plain) >= step)];
        return made.reduce((a, b) => (Math.abs(b - ours[i]) < Math.abs(a - ours[i]) ? b : a));
      };
      const left = leftOf(numbers, (i) => truth[i] + ours[i] - nearest(i));
      return [{ key, says, left, freedom: 0 }];
    });
    const [first] = fitting.filter(({ left }) => left <= limit);
    return first === undefined ? [] : [first];
  },
};

const fewestIntegers = 16;
const widest = 16;

/** The reference rounds where ours cuts: integers on both sides, many of ours one nearer to zero, or one less. */
const lessRounded: Hypothesis = {
  name: 'truncated',
  about: 'integers that are cut where the reference rounds',
  fits({ ours, truth }: Numbers): Fit[] {
    const whole = ours.every(Number.isInteger) && truth.every(Number.isInteger);
    if (!whole || truth.length < fewestIntegers || new Set(truth).size < widest) return [];
    const less = truth.filter((x, i) => ours[i] - x === (x > 0 ? -1 : 1)).length;
    const same = truth.filter((x, i) => ours[i] === x).length;
    const share = less / truth.length;
    if (less + same < truth.length || share < 0.25 || share > 0.75) return [];
    const says = `integers, ${less} of ${truth.length} one nearer to zero: cut where the reference rounds`;
    return [{ key: 'cut, not rounded', says, left: 0, freedom: 2 }];
  },
};

/** Integers where there should be others, or none. */
export const castHypotheses: readonly Hypothesis[] = [cast, lessRounded];
