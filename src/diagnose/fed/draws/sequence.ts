import { type First, offsets, type Shown, shownAs } from '../pixels/shown.ts';
import { drawsOf, quickDraws, quickMost } from './mersenne.ts';

/** What the generator of a run draws, from its seed on; places are counted in draws of 32 bits. */
export interface Sequence {
  readonly draws: Uint32Array;
}

/** So many places are looked at: more than any small run draws. */
const horizon = 1 << 17;

export const sequenceOf = (seed: number): Sequence => ({ draws: drawsOf(seed, horizon) });

/** How an order is made of what its sampler's own generator draws. */
export interface Shuffle {
  readonly key: string;
  readonly says?: string;
  readonly order: (draws: Uint32Array, n: number) => number[];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function swap(order: number[], i: number, j: number): void {
  [order[i], order[j]] = [order[j], order[i]];
}

/** As `torch.randperm` does: each place is swapped with one at or after it; the first places only where `swaps` says so. */
function fromTheFront(draws: Uint32Array, n: number, swaps = n - 1): number[] {
  const order = range(n);
  for (let i = 0; i < swaps; i++) swap(order, i, i + (draws[i] % (n - i)));
  return order;
}

/** Ways to shuffle by the same draws. */
export const otherShuffles: readonly Shuffle[] = [
  {
    key: 'from the end',
    says: 'the same draws, but another shuffle: from the end, each place swapped with one before it',
    order(draws, n) {
      const order = range(n);
      for (let i = n - 1; i > 0; i--) swap(order, i, draws[n - 1 - i] % (i + 1));
      return order;
    },
  },
  {
    key: 'any place',
    says: 'the same draws, but another shuffle: each place is swapped with any other',
    order(draws, n) {
      const order = range(n);
      for (let i = 0; i < n; i++) swap(order, i, draws[i] % n);
      return order;
    },
  },
  {
    key: 'a cycle',
    says: 'the same draws, but another shuffle: no place is ever swapped with itself',
    order(draws, n) {
      const order = range(n);
      for (let i = n - 1; i > 0; i--) swap(order, i, draws[n - 1 - i] % i);
      return order;
    },
  },
  {
    key: 'sorted',
    says: 'the same draws, but another shuffle: images are sorted by what is drawn for each',
    order: (draws, n) => range(n).sort((a, b) => draws[a] - draws[b]),
  },
  {
    key: 'replacement',
    says: 'the same draws, but drawn with replacement: each is an image, whichever were taken before',
    order: (draws, n) => range(n).map((i) => draws[i] % n),
  },
];

/** The order that a sampler's seed makes. */
export const orderOf = (seed: number, n: number, { order }: Pick<Shuffle, 'order'>): number[] =>
  order(drawsOf(seed, n), n);

/** The low half of the sampler's seed, which is drawn at `place`: of 64 bits the high half comes first. */
export const seedAt = ({ draws }: Sequence, place: number): number => draws[place + 1];

/** Fewer tell nothing among so many places. */
const fewestOfOrder = 6;

/** Where in the sequence the seed is drawn whose shuffle of `n` holds `part` from `first` on; −1 where nowhere. */
export function placeOfOrder(
  sequence: Sequence,
  part: readonly number[],
  first: number,
  n: number,
): number {
  if (part.length < fewestOfOrder || n > quickMost) return -1;
  const drawn = new Uint32Array(Math.min(n, first + part.length));
  for (let place = 0; place + 1 < horizon; place++) {
    quickDraws(seedAt(sequence, place), drawn);
    // Where all of it is asked for, the first draw tells most places apart.
    if (first === 0 && drawn[0] % n !== part[0]) continue;
    const order = fromTheFront(drawn, n, Math.min(n - 1, drawn.length));
    if (part.every((index, i) => index === order[first + i])) return place;
  }
  return -1;
}

/** How a draw says whether an image is mirrored. */
export interface FlipRule {
  readonly key: string;
  readonly says?: string;
  readonly flips: (draw: number) => boolean;
}

/** `torch.rand(1) < 0.5`: the highest of 24 bits. */
export const belowHalf: FlipRule = { key: 'half', flips: (draw) => (draw & 0x800000) === 0 };

export const flipRules: readonly FlipRule[] = [
  belowHalf,
  {
    key: 'above half',
    says: 'mirrored where the draw is above one half, not below: flipped images are not, and the others are',
    flips: (draw) => (draw & 0x800000) !== 0,
  },
  {
    key: 'odd',
    says: 'other images are flipped: drawn as an integer, randint(0, 2), not as rand() < 0.5',
    flips: (draw) => draw % 2 === 1,
  },
  {
    key: 'even',
    says: 'other images are flipped: drawn as an integer that is 0, not as rand() < 0.5',
    flips: (draw) => draw % 2 === 0,
  },
  {
    key: 'high bit',
    says: 'other images are flipped: by the highest of all 32 bits of a draw, not of the 24 that make a float32',
    flips: (draw) => draw < 0x80000000,
  },
];

export const drawsAnImage = 3;

/** How an image is shown by the three draws at `place`; which image it is, is drawn elsewhere. */
export function viewAt(
  draws: Uint32Array,
  place: number,
  first: First,
  { flips }: FlipRule,
  index: number,
): Shown {
  const [flip, crop] = first === 'flip' ? [0, 1] : [2, 0];
  const drawn = {
    flip: flips(draws[place + flip]),
    top: draws[place + crop] % offsets,
    column: draws[place + crop + 1] % offsets,
  };
  return shownAs(index, drawn, first);
}
