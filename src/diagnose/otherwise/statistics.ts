import { shortNumber } from '../../shortNumber.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Variant } from './variant.ts';

/** Batches whose statistics a running one took in, one after the other, as far as the reference holds them. */
export interface TakenIn {
  readonly statistic: 'running_mean' | 'running_var';
  /** Its value before the first batch. */
  readonly start: number;
  /** What each batch gave, by channel. */
  readonly batches: readonly Float64Array[];
  /** Images of each batch. */
  readonly images: readonly number[];
  /** A norm's momentum; undefined where all images weigh the same. */
  readonly momentum?: number;
}

/** How much of batch `k`, from 0, is taken in; the rest is what was there. */
type Share = (k: number) => number;

/** The running statistic after each batch tells what the batch itself gave. */
export function batchesFrom(after: readonly Float64Array[], start: number, share: Share) {
  return after.map((now, k) =>
    now.map((x, c) => {
      const before = k === 0 ? start : after[k - 1][c];
      return before + (x - before) / share(k);
    }),
  );
}

/** By how much each batch counts where all images weigh the same. */
export const byImages =
  (images: readonly number[]): Share =>
  (k) =>
    images[k] / images.slice(0, k + 1).reduce((sum, n) => sum + n, 0);

const taken = (
  batches: readonly Float64Array[],
  start: number,
  share: Share,
  kept = (x: number): number => x,
): Float64Array =>
  batches.reduce(
    (now, batch, k) => now.map((x, c) => kept(x + share(k) * (batch[c] - x))),
    batches[0].map(() => start),
  );

function distance(a: Float64Array, b: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - b[i]) ** 2;
  return squares;
}

const grid = 200;
const goldenCut = (Math.sqrt(5) - 1) / 2;
const enoughCuts = 40;

/** The momentum in (0, 1] that comes nearest to ours. */
function momentumOf(ours: Float64Array, { batches, start }: TakenIn): number {
  const off = (m: number): number =>
    distance(
      ours,
      taken(batches, start, () => m),
    );
  const tried = Array.from({ length: grid }, (_, i) => (i + 1) / grid);
  const best = tried.reduce((a, b) => (off(b) < off(a) ? b : a));
  let [low, high] = [best - 1 / grid, Math.min(1, best + 1 / grid)];
  for (let i = 0; i < enoughCuts; i++) {
    const [a, b] = [high - goldenCut * (high - low), low + goldenCut * (high - low)];
    if (off(a) < off(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

const near = (a: number, b: number): boolean => Math.abs(a / b - 1) < 1e-3;

function meaningOf(fits: number, used: number | undefined): string {
  if (used === undefined) return '';
  if (near(fits, 1 - used)) return ': what is kept and what is new are swapped';
  return near(fits, 1 - (1 - used) ** 2) ? ': updated twice by each batch' : '';
}

/** Channels that prove a momentum of two digits, as people choose them, and one of any. */
const fewestRound = 2;
const fewestAny = 8;

/** Sides of maps: of a channel of n images a norm sees n·side² elements. */
const sides = Array.from({ length: 32 }, (_, i) => i + 1);

/** A running statistic, were it kept otherwise. `ours` at the elements that the reference holds. */
export function* statisticVariants(of: TakenIn, ours: Float64Array): Generator<Variant> {
  const { statistic, start, batches, images, momentum } = of;
  const used: Share = momentum === undefined ? byImages(images) : () => momentum;
  const usedWords =
    momentum === undefined
      ? 'the reference averages all batches'
      : `the reference used ${momentum}`;
  const other = (key: string, says: string, value: Float64Array, freedom?: 1): Variant => ({
    key: `statistics ${key}`,
    says,
    value: tensor('float64', [value.length], value),
    ...(freedom && { freedom }),
  });
  yield other(
    'not updated',
    'is not updated: it has its value of the start',
    batches[0].map(() => start),
  );
  if (momentum !== undefined) {
    const all = 'averages all batches (momentum=None)';
    yield other('cumulative', `${all}, ${usedWords}`, taken(batches, start, byImages(images)));
  } else if (batches.length > 1) {
    yield other('first batch', 'is that of the first batch only', batches[0]);
    yield other('last batch', 'is that of the last batch only', batches[batches.length - 1]);
    yield other(
      'batches alike',
      'is a mean over batches: a short batch weighs like a full one',
      taken(batches, start, (k) => 1 / (k + 1)),
    );
  }
  if (statistic === 'running_var') {
    const biased = (side: number): Float64Array[] =>
      batches.map((batch, k) => {
        const n = images[k] * side * side;
        return batch.map((x) => (x * (n - 1)) / n);
      });
    for (const side of sides) {
      yield other(
        'biased',
        'by the variance of n, the reference takes that of n − 1: biased',
        taken(biased(side), start, used),
      );
    }
    yield other(
      'deviation',
      'is kept as a deviation: the root of the variance, after each batch',
      taken(batches, start, used, Math.sqrt),
    );
    yield other(
      'root',
      "is the root of the reference's: a deviation, not a variance",
      taken(batches, start, used).map(Math.sqrt),
    );
  }
  const exact = momentumOf(ours, of);
  for (const fits of [Number(exact.toPrecision(2)), exact]) {
    if (ours.length < (fits === exact ? fewestAny : fewestRound)) continue;
    const meaning = meaningOf(fits, momentum);
    yield other(
      `momentum ${fits.toPrecision(2)}`,
      `fits momentum ${shortNumber(fits)}, ${usedWords}${meaning}`,
      taken(batches, start, () => fits),
      meaning === '' ? 1 : undefined,
    );
  }
}
