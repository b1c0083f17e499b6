import { shortNumber } from '../../../shortNumber.ts';
import { type Constants, knownConstants } from '../../fed/pixels/constants.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';

/** Each channel's `ours = factor × the reference's + offset`. */
interface Line {
  readonly factor: number;
  readonly offset: number;
}

const mostChannels = 4;
const fewestElements = 64;
/** Numbers that were made of the same bytes by other constants round otherwise: to the bit they are never right. */
const roundings = 4 * 2 ** -24;

/** Channels of images [n, c, h, w] or [c, h, w]; undefined for any other shape. */
function channelsOf({ shape, truth }: Numbers): { count: number; size: number } | undefined {
  if (shape.length < 3 || shape.length > 4 || truth.length < fewestElements) return undefined;
  const [count, height, width] = shape.slice(-3);
  return count > mostChannels || height * width === 1 ? undefined : { count, size: height * width };
}

/** The line nearest to all elements of a channel, in the least squares. */
function lineOf({ ours, truth }: Numbers, of: readonly number[]): Line | undefined {
  const n = of.length;
  if (n < 3) return undefined;
  const mean = (values: Float64Array): number => of.reduce((sum, i) => sum + values[i], 0) / n;
  const [x0, y0] = [mean(truth), mean(ours)];
  let [xy, xx] = [0, 0];
  for (const i of of) {
    xy += (truth[i] - x0) * (ours[i] - y0);
    xx += (truth[i] - x0) ** 2;
  }
  const factor = xy / xx;
  return Number.isFinite(factor) && factor !== 0 ? { factor, offset: y0 - factor * x0 } : undefined;
}

interface Named extends Constants {
  readonly of: string;
}

const three = (x: number): number[] => [x, x, x];

/** What images may have been normalised by, on either side. */
const named: readonly Named[] = [
  { of: 'not normalised: pixels from 0 to 1', mean: three(0), std: three(1) },
  { of: 'not normalised: pixels from 0 to 255', mean: three(0), std: three(1 / 255) },
  ...knownConstants.flatMap(({ of, mean, std }) => {
    const words = of.endsWith("'s") ? `normalised by ${of} mean and deviation` : `normalised ${of}`;
    const backwards = { mean: mean.toReversed(), std: std.toReversed() };
    return [
      { of: words, mean, std },
      { of: `${words} in the order BGR`, ...backwards },
    ];
  }),
];

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));

/** Both sides' constants where the lines are those between two that people know. */
function wordsOf(lines: readonly Line[]): string | undefined {
  if (lines.length !== 3) return undefined;
  for (const ours of named) {
    for (const theirs of named) {
      const is = lines.every(
        ({ factor, offset }, c) =>
          near(factor, theirs.std[c] / ours.std[c]) &&
          near(offset, (theirs.mean[c] - ours.mean[c]) / ours.std[c]),
      );
      if (is) return `${ours.of}, the reference ${theirs.of}`;
    }
  }
  return undefined;
}

const lineWords = ({ factor, offset }: Line): string =>
  `${shortNumber(factor)} × the reference's ${offset < 0 ? '−' : '+'} ${shortNumber(Math.abs(offset))}`;

const otherwise: Hypothesis = {
  name: 'normalised otherwise',
  about:
    'images of a batch normalised by another mean and deviation, solved for channel by channel',
  fits(numbers, { kind }): Fit[] {
    const channels = kind === 'input' ? channelsOf(numbers) : undefined;
    if (channels === undefined) return [];
    const { count, size } = channels;
    const channelOf = (i: number): number => Math.floor(numbers.at[i] / size) % count;
    const places = Array.from({ length: count }, (): number[] => []);
    for (let i = 0; i < numbers.truth.length; i++) places[channelOf(i)].push(i);
    const lines = places.flatMap((of) => lineOf(numbers, of) ?? []);
    if (lines.length !== count) return [];
    const left = leftOf(numbers, (i) => {
      const { factor, offset } = lines[channelOf(i)];
      return (numbers.ours[i] - offset) / factor;
    });
    const largest = Math.max(...lines.map(({ factor, offset }) => Math.abs(offset / factor)));
    if (!(left <= roundings * Math.max(1, largest / numbers.unit))) return [];
    const words =
      wordsOf(lines) ??
      `normalised otherwise: ${lines.map((line, c) => `channel ${c} is ${lineWords(line)}`).join(', ')}`;
    return [{ key: 'normalised otherwise', says: words, left: 0, freedom: 1 }];
  },
};

export const imageHypotheses: readonly Hypothesis[] = [otherwise];
