import { shortNumber } from '../../../shortNumber.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { settingOf, sourcesOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';
import type { Evidence, Suspect } from '../../suspect.ts';

/** So many elements make a factor that was fitted to them no accident. */
const enough = 4;

interface NamedFactor {
  readonly by: number;
  readonly is: string;
}

/** n → `n` and `1/n`, said in both directions. */
const both = (by: number, more: string, less: string): NamedFactor[] => [
  { by, is: more },
  { by: 1 / by, is: less },
];

/** How many numbers a sum may run over, and which they are; in the same words for tensors of every size. */
function placesOf(suspect: Suspect, evidence: Evidence): (readonly [number, string])[] {
  const sources = sourcesOf(suspect, evidence);
  const sent = sources.filter(({ kind }) => kind === 'output gradient');
  const maps = sources.filter(({ shape }) => shape.length === 4);
  return [
    ...sent.map(({ shape }) => [sizeOf(shape), 'all elements of what is sent back'] as const),
    ...maps.flatMap(({ shape: [n, , h, w] }) => [
      [h * w, 'the places of a map'] as const,
      [n * h * w, 'the places of all maps'] as const,
    ]),
  ].filter(([n]) => n > 1);
}

/** A weight that is drawn between bounds by the wrong one of its two sides. */
function fans({ shape, name }: Suspect): NamedFactor[] {
  const [outputs, inputs] = shape;
  if (!name.startsWith('initial/') || shape.length < 2 || outputs === inputs) return [];
  return [
    { by: Math.sqrt(outputs / inputs), is: 'scaled by fan-in, not by fan-out' },
    { by: Math.sqrt(inputs / outputs), is: 'scaled by fan-out, not by fan-in' },
  ];
}

/** Factors that people know, and what each of them means here. */
function namedFactors(suspect: Suspect, evidence: Evidence): NamedFactor[] {
  const { batch, optimizer = {} } = evidence;
  const { shape } = suspect;
  const p = settingOf(suspect, 'p');
  const lr = Number(optimizer.lr);
  const widths = [...new Set(shape.filter((d) => d > 1))];
  const summed = (n: number): NamedFactor[] =>
    both(
      n,
      'summed over the batch, not averaged',
      'averaged over the batch, not summed (or twice)',
    );
  const of = (n: number | undefined, f: (n: number) => NamedFactor[]): NamedFactor[] =>
    n === undefined || !(n > 1) ? [] : f(n);
  // One number, a loss or an accuracy, meets most factors by chance.
  if (sizeOf(shape) < enough) return of(batch, summed);
  return [
    { by: -1, is: 'its sign is turned' },
    ...fans(suspect),
    ...of(batch, summed),
    ...of(batch, (n) =>
      both(n / (n - 1), 'divided by n − 1, not by n', 'divided by n, not by n − 1'),
    ),
    ...(p !== undefined && p > 0 && p < 1
      ? [
          ...both(1 / (1 - p), 'scaled by 1/(1−p) once too often', 'not scaled by 1/(1−p)'),
          { by: (1 - p) / p, is: 'scaled by 1/p, not by 1/(1−p)' },
        ]
      : []),
    ...(lr > 0 ? both(lr, 'multiplied by the learning rate', 'divided by the learning rate') : []),
    ...both(255, 'pixels from 0 to 255, not from 0 to 1', 'pixels from 0 to 1, not from 0 to 255'),
    ...both(
      2,
      'twice: added up twice, or two for one',
      'half: averaged over two, or a factor 2 is missing',
    ),
    ...placesOf(suspect, evidence).flatMap(([n, where]) =>
      both(n, `summed over ${where}, not averaged`, `averaged over ${where}, not summed`),
    ),
    ...widths.flatMap((d) => [
      ...both(Math.sqrt(d), `√${d} too large`, `√${d} too small`),
      ...both(d, `summed over ${d}, not averaged`, `averaged over ${d}, not summed`),
    ]),
  ];
}

/** The factor that brings the truth nearest to ours, in the least squares. */
function factorOf({ ours, truth }: Numbers): number {
  let [cross, square] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    cross += ours[i] * truth[i];
    square += truth[i] * truth[i];
  }
  return cross / square;
}

const leftBy = (numbers: Numbers, by: number): number =>
  leftOf(numbers, (i) => numbers.ours[i] / by);

const fewPercent = 0.05;
const mostDecades = 6;

const factor: Hypothesis = {
  name: 'factor',
  about: 'one factor: the batch size, 1/(1−p), n/(n−1), √d, lr, 255, a sign',
  fits(numbers, suspect, evidence): Fit[] {
    const fitted = factorOf(numbers);
    if (!Number.isFinite(fitted) || fitted === 0) return [];
    const near = namedFactors(suspect, evidence).filter(
      ({ by }) => Math.abs(fitted / by - 1) <= Math.max(numbers.limit, 1e-12),
    );
    const named = near.map(({ by, is }): Fit => {
      const says = by === -1 ? is : `${shortNumber(by)} × the reference's: ${is}`;
      return { key: `factor ${is}`, says, left: leftBy(numbers, by), freedom: 0 };
    });
    const off = Math.abs(fitted - 1);
    if (numbers.truth.length < enough || off <= numbers.limit) return named;
    // A step moves a weight little, so most mistakes in it come near to some factor.
    if (suspect.kind === 'weight' && off < fewPercent) return named;
    if (Math.abs(Math.log10(Math.abs(fitted))) > mostDecades) return named;
    // Near one, it is the last digits that tell.
    const says = `${off < fewPercent ? fitted.toPrecision(6) : shortNumber(fitted)} × the reference's`;
    const key = `factor ${fitted.toPrecision(4)}`;
    // It takes the place of the names where they are of some tensors only: √d of layers that are d wide.
    return [...named, { key, says, left: leftBy(numbers, fitted), freedom: 1 }];
  },
};

const offset: Hypothesis = {
  name: 'offset',
  about: 'one number added everywhere',
  fits(numbers, { kind }): Fit[] {
    const { ours, truth, unit } = numbers;
    if (truth.length < enough || kind === 'weight') return [];
    const by = ours.reduce((sum, x, i) => sum + (x - truth[i]), 0) / truth.length;
    if (!(Math.abs(by) > numbers.limit * unit)) return [];
    const left = leftOf(numbers, (i) => ours[i] - by);
    const says = `${shortNumber(Math.abs(by))} ${by > 0 ? 'more' : 'less'} than the reference's everywhere`;
    return [{ key: `offset ${by.toPrecision(4)}`, says, left, freedom: 1 }];
  },
};

/** The same numbers, larger, smaller or moved. */
export const scaleHypotheses: readonly Hypothesis[] = [factor, offset];
