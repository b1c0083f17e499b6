import { type Constants, constantsWords } from './constants.ts';

/** What each byte of each channel became: [3 × 256], NaN where none was seen. */
export type ValueTable = Float64Array;

const channels = [0, 1, 2] as const;

/** `ToTensor` and `Normalize`, rounded to float32 at each step as PyTorch does. */
export function expectedValues({ mean, std }: Constants): ValueTable {
  const { fround } = Math;
  return Float64Array.from({ length: 3 * 256 }, (_, i) => {
    const c = Math.floor(i / 256);
    return fround(fround(fround((i % 256) / 255) - fround(mean[c])) / fround(std[c]));
  });
}

export interface ValuesFit {
  readonly key: string;
  readonly says: string;
  /** What a byte becomes by it. */
  readonly of: (channel: number, byte: number) => number;
}

interface Variant {
  readonly key: string;
  readonly says: (constants: Constants) => string;
  readonly of: (byte: number, mean: number, std: number) => number;
}

const normal = (x: number, mean: number, std: number): number => (x / 255 - mean) / std;

/** Ways from a byte to a number that are not the reference's. */
const variants: readonly Variant[] = [
  {
    key: '256',
    says: () => 'pixels are divided by 256, not by 255',
    of: (v, mean, std) => (v / 256 - mean) / std,
  },
  {
    key: 'bytes',
    says: () =>
      'pixels from 0 to 255, not from 0 to 1: not divided by 255 before they are normalised',
    of: (v, mean, std) => (v - mean) / std,
  },
  {
    key: 'whole',
    says: () => 'pixels are 0 or 1: divided by 255 as whole numbers',
    of: (v, mean, std) => (Math.trunc(v / 255) - mean) / std,
  },
  {
    key: 'no deviation',
    says: () => 'the mean is taken away, but nothing is divided by the deviation',
    of: (v, mean) => v / 255 - mean,
  },
  {
    key: 'no mean',
    says: () => 'divided by the deviation, but the mean is not taken away',
    of: (v, _, std) => v / 255 / std,
  },
  {
    key: 'not normalised',
    says: () => 'not normalised: pixels from 0 to 1',
    of: (v) => v / 255,
  },
  { key: 'raw', says: () => 'not normalised: pixels from 0 to 255', of: (v) => v },
  {
    key: 'variance',
    says: () => 'divided by the variance, not by the deviation',
    of: (v, mean, std) => (v / 255 - mean) / (std * std),
  },
  {
    key: 'root',
    says: () => 'divided by the root of the deviation, which was taken for a variance',
    of: (v, mean, std) => (v / 255 - mean) / Math.sqrt(std),
  },
  {
    key: 'times deviation',
    says: () => 'multiplied by the deviation, not divided by it',
    of: (v, mean, std) => (v / 255 - mean) * std,
  },
  {
    key: 'plus mean',
    says: () => 'the mean is added, not taken away',
    of: (v, mean, std) => (v / 255 + mean) / std,
  },
  {
    key: 'twice',
    says: () => 'normalised twice',
    of: (v, mean, std) => (normal(v, mean, std) - mean) / std,
  },
  {
    key: 'negative',
    says: () => 'the negative of the image: 255 less each byte',
    of: (v, mean, std) => normal(255 - v, mean, std),
  },
  {
    key: 'wrap',
    says: () => 'bytes wrap round at 256 where the mean is taken away from them',
    of: (v, mean, std) => ((v - Math.round(255 * mean)) & 255) / 255 / std,
  },
  {
    key: 'wrap down',
    says: () => 'bytes wrap round at 256 where the mean, rounded down, is taken away from them',
    of: (v, mean, std) => ((v - Math.floor(255 * mean)) & 255) / 255 / std,
  },
  {
    key: 'clip 0',
    says: () => 'cut off at 0 after normalising',
    of: (v, mean, std) => Math.max(0, normal(v, mean, std)),
  },
  {
    key: 'clip 0 1',
    says: () => 'cut off at 0 and 1 after normalising',
    of: (v, mean, std) => Math.min(1, Math.max(0, normal(v, mean, std))),
  },
  {
    key: 'clip -1 1',
    says: () => 'cut off at -1 and 1 after normalising',
    of: (v, mean, std) => Math.min(1, Math.max(-1, normal(v, mean, std))),
  },
];

/** Of float32 in a few steps, over the size of the number or 1. */
const rounded = 4e-6;

const isNear = (a: number, b: number): boolean =>
  Math.abs(a - b) <= rounded * Math.max(1, Math.abs(b));

const explains = (seen: ValueTable, of: ValuesFit['of']): boolean =>
  seen.every((x, i) => Number.isNaN(x) || isNear(x, of(Math.floor(i / 256), i % 256)));

/** A line through what was seen of a channel; undefined where two bytes do not make one. */
function lineOf(seen: ValueTable, channel: number): [slope: number, offset: number] | undefined {
  const known = [...seen.subarray(256 * channel, 256 * (channel + 1))].flatMap((y, x) =>
    Number.isNaN(y) ? [] : [[x, y] as const],
  );
  if (known.length < 3) return undefined;
  const mean = (k: 0 | 1): number => known.reduce((sum, p) => sum + p[k], 0) / known.length;
  const [x0, y0] = [mean(0), mean(1)];
  const [xy, xx] = known.reduce(
    ([a, b], [x, y]) => [a + (x - x0) * (y - y0), b + (x - x0) ** 2],
    [0, 0],
  );
  const slope = xy / xx;
  return [slope, y0 - slope * x0];
}

/** The same arithmetic with other constants, solved for. */
function otherConstants(seen: ValueTable, constants: Constants): ValuesFit | undefined {
  const lines = channels.map((c) => lineOf(seen, c));
  if (lines.some((line) => line === undefined || !(line[0] > 0))) return undefined;
  const solved = {
    mean: lines.map((line) => -line![1] / (255 * line![0])),
    std: lines.map((line) => 1 / (255 * line![0])),
  };
  const of = (channel: number, byte: number): number =>
    lines[channel]![0] * byte + lines[channel]![1];
  if (!explains(seen, of)) return undefined;
  const told = constantsWords(solved);
  return {
    key: `values by ${told}`,
    says: `normalised by ${told}, the reference by ${constantsWords(constants)}`,
    of,
  };
}

/** How bytes became what they are, where that is not as in the reference; undefined where nothing explains it. */
export function valuesFit(seen: ValueTable, constants: Constants): ValuesFit | undefined {
  const { mean, std } = constants;
  const right = expectedValues(constants);
  const expected = (channel: number, byte: number): number => right[256 * channel + byte];
  if (explains(seen, expected)) {
    const far = seen.reduce(
      (most, x, i) => Math.max(most, Number.isNaN(x) ? 0 : Math.abs(x - right[i])),
      0,
    );
    return {
      key: 'values rounded',
      says: `the same but for the last places, at most ${far.toExponential(1)} apart: rounded otherwise`,
      of: expected,
    };
  }
  const found = variants.find(({ of }) => explains(seen, (c, byte) => of(byte, mean[c], std[c])));
  if (found === undefined) return otherConstants(seen, constants);
  return {
    key: `values ${found.key}`,
    says: found.says(constants),
    of: (channel, byte) => found.of(byte, mean[channel], std[channel]),
  };
}
