import { type Shape, sameShape, sizeOf } from '../../../tensor/shape.ts';
import { oursOf, sourcesOf, wholeOf } from '../../around.ts';
import type { Fit } from '../../hypothesis.ts';
import { placesOf } from '../../numbers.ts';
import { linesAlong } from '../../recompute/functions.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

/** A float32 is infinite from e to the power of this on, a float16 from this on. */
const mostExponent = 88.73;
const mostHalf = 65504;

/** Where no finite number comes out, by an input or by the truth, and why. */
interface Reason {
  readonly key: string;
  readonly says: (name: string) => string;
  readonly breaks: (x: number) => boolean;
  /** Whether one such number breaks its whole row, as a sum does. */
  readonly along?: true;
}

const overflow = (name: string): string =>
  `NaN or infinity where exp(${name}) overflows, beyond 88.7: the maximum is not subtracted first`;

const byInput: readonly Reason[] = [
  { key: 'exp overflows', says: overflow, breaks: (x) => x > mostExponent },
  { key: 'exp overflows', says: overflow, breaks: (x) => x > mostExponent, along: true },
  {
    key: 'of a negative number',
    says: (name) => `NaN where ${name} is negative: of a root or a logarithm`,
    breaks: (x) => x < 0,
  },
  {
    key: 'of zero',
    says: (name) => `NaN or infinity where ${name} is 0: of a division or a logarithm`,
    breaks: (x) => x === 0,
  },
];

const byTruth: readonly Reason[] = [
  {
    key: 'float16 overflows',
    says: () => `infinite where the reference is beyond 65504: float16 overflows`,
    breaks: (x) => Math.abs(x) > mostHalf,
  },
];

/** Which places a reason breaks; along an axis those of every line with such a number. */
function brokenBy({ breaks, along }: Reason, values: Float64Array, shape: Shape): boolean[][] {
  const single = Array.from(values, breaks);
  if (along === undefined) return [single];
  return shape.map((_, axis) => {
    const broken = single.slice();
    for (const line of linesAlong(shape, axis)) {
      const any = line.some((i) => single[i]);
      for (const i of line) broken[i] = any;
    }
    return broken;
  });
}

/** What our side was given or computed there, whole; what the reference holds where it is not known. */
const valuesOf = (held: Held, evidence: Evidence): Float64Array | undefined =>
  oursOf(evidence, held) ?? wholeOf(held);

/**
 * Of a tensor of ours with NaN or infinity, why they are there: they stand where an input makes them, all of them, and
 * what is elsewhere is right.
 */
export function nonFiniteFits(suspect: Suspect, evidence: Evidence): Fit[] {
  const places = placesOf(suspect);
  if (places === undefined) return [];
  const { at, truth, ours, shape, whole } = places;
  const missing = (x: number): boolean => !Number.isFinite(x);
  if (!whole.some(missing) || truth.some(missing)) return [];
  const rms = Math.sqrt(truth.reduce((sum, x) => sum + x * x, 0) / truth.length);
  const tell = ({ key, says, along }: Reason, name: string, broken: readonly boolean[]): Fit[] => {
    // In a broken line some may come out all the same, each by its own number.
    const met = along === true || broken.every((b, i) => !b || missing(whole[i]));
    if (!met || !broken.some((b) => b) || whole.some((x, i) => missing(x) && !broken[i])) return [];
    let squares = 0;
    let count = 0;
    for (let i = 0; i < truth.length; i++) {
      if (broken[at[i]]) continue;
      squares += (ours[i] - truth[i]) ** 2;
      count++;
    }
    const left = count === 0 ? 0 : Math.sqrt(squares / count) / (suspect.scale ?? rms);
    return [{ key: `not finite: ${key}`, says: says(name), left, freedom: 0 }];
  };
  const ofInputs = sourcesOf(suspect, evidence).flatMap((held): Fit[] => {
    const values = valuesOf(held, evidence);
    if (values === undefined) return [];
    return byInput.flatMap((reason) => {
      if (sameShape(held.shape, shape)) {
        return brokenBy(reason, values, shape).flatMap((b) => tell(reason, held.name, b));
      }
      // A loss is made of all of its logits.
      const any = sizeOf(shape) === 1 && reason.along === true && values.some(reason.breaks);
      return any ? tell(reason, held.name, [true]) : [];
    });
  });
  const half = byTruth.flatMap((reason) => {
    if (truth.length !== whole.length) return [];
    return tell(reason, '', Array.from(truth, reason.breaks));
  });
  return [...ofInputs, ...half];
}
