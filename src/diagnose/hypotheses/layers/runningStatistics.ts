import { shortNumber } from '../../../shortNumber.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { distanceOf, earlierOf, explains, settingOf, sourcesOf, valuesAt } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import type { Evidence, Suspect } from '../../suspect.ts';

/** Elements over which a channel's statistics are taken, by the shape of the layer's input. */
function countOf(suspect: Suspect, evidence: Evidence): number | undefined {
  const [channels] = suspect.shape;
  const input = sourcesOf(suspect, evidence).find(
    ({ shape, kind }) => shape.length > 1 && shape[1] === channels && kind !== 'weight',
  );
  return input && sizeOf(input.shape) / channels;
}

/** √(mean (ours − before − by·(next − before))²), over the unit. */
function leftWith(
  { ours, unit }: Numbers,
  before: Float64Array,
  next: Float64Array,
  by: number,
): number {
  let squares = 0;
  for (let i = 0; i < ours.length; i++)
    squares += (ours[i] - before[i] - by * (next[i] - before[i])) ** 2;
  return Math.sqrt(squares / ours.length) / unit;
}

/** How far ours went from `before` to `next`, in the least squares. */
function wayOf({ ours }: Numbers, before: Float64Array, next: Float64Array): number {
  let [cross, square] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const all = next[i] - before[i];
    cross += (ours[i] - before[i]) * all;
    square += all * all;
  }
  return cross / square;
}

/** Channels that prove a momentum which follows from the right one, one of two digits, as people choose them, and any. */
const fewestNamed = 2;
const fewestRound = 4;
const fewestAny = 16;

const same = (a: number, b: number): boolean => Math.abs(a / b - 1) < 1e-3;

/** What a momentum that fits means, where it is none that somebody chose. */
const meaningOf = (fits: number, used: number): string =>
  same(fits, 1 - used)
    ? ': what is kept and what is new are swapped'
    : same(fits, 1 - (1 - used) ** 2)
      ? ': updated twice by the same batch'
      : '';

const nBiased = 'the variance of n, the reference takes that of n − 1';

const running: Hypothesis = {
  name: 'running statistics',
  about: "a batch norm's running statistics by another momentum, or by the biased variance",
  fits(numbers, suspect, evidence): Fit[] {
    const [, statistic] = /[./](running_mean|running_var)$/.exec(suspect.name) ?? [];
    const used = settingOf(suspect, 'momentum');
    const held = earlierOf(suspect, evidence);
    const before = held && valuesAt(numbers, held);
    if (statistic === undefined || before === undefined || !used) return [];
    const { truth, limit } = numbers;
    const distance = distanceOf(numbers);
    const batch = truth.map((x, i) => before[i] + (x - before[i]) / used);
    const count = statistic === 'running_var' ? countOf(suspect, evidence) : undefined;
    const biased = count && count > 1 ? batch.map((v) => (v * (count - 1)) / count) : undefined;
    const accept = (fit: Fit): Fit[] => (explains(numbers, fit.left, distance) ? [fit] : []);
    const fitted = (next: Float64Array, more: string): Fit[] => {
      const way = wayOf(numbers, before, next);
      const short = Number(way.toPrecision(2));
      const isRound = leftWith(numbers, before, next, short) <= limit;
      const fits = isRound ? short : way;
      const meaning = meaningOf(fits, used);
      const enough = meaning !== '' ? fewestNamed : isRound ? fewestRound : fewestAny;
      if (truth.length < enough || !(fits > 0 && fits <= 1)) return [];
      return accept({
        key: `momentum ${fits.toPrecision(2)}`,
        says: `fits momentum ${shortNumber(fits)}, the reference used ${used}${meaning}${more}`,
        left: leftWith(numbers, before, next, fits),
        freedom: meaning === '' ? 1 : 0,
      });
    };
    return [
      ...(biased === undefined
        ? []
        : [
            ...accept({
              key: 'biased variance',
              says: `by ${nBiased}`,
              left: leftWith(numbers, before, biased, used),
              freedom: 0,
            }),
            ...fitted(biased, `, and ${nBiased}`),
          ]),
      ...fitted(batch, ''),
      ...(statistic === 'running_var'
        ? accept({
            key: 'running deviation',
            says: "the root of the reference's: a deviation, not a variance",
            left: leftWith(numbers, truth.map(Math.sqrt), truth.map(Math.sqrt), 0),
            freedom: 0,
          })
        : []),
    ];
  },
};

/** What a batch norm keeps for later. */
export const runningHypotheses: readonly Hypothesis[] = [running];
