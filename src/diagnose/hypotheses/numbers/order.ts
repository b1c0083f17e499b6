import { type Shape, sameShape, sizeOf } from '../../../tensor/shape.ts';
import { oursOf, sourcesOf, wholeOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';
import type { Held, Suspect } from '../../suspect.ts';
import { type Computed, type Variant, variantFits } from '../../variants.ts';

/** From a position in the reference's shape, as coordinates, to the flat position in ours that should lie there. */
type Source = (index: Int32Array) => number;

const stridesOf = (shape: Shape): number[] => shape.map((_, k) => sizeOf(shape.slice(k + 1)));

/** What is left when every element of ours is taken from where `source` says. */
function leftWhen({ at, whole, shape, ...rest }: Numbers, source: Source): number {
  const strides = stridesOf(shape);
  const index = new Int32Array(shape.length);
  return leftOf(rest, (i) => {
    let position = at[i];
    for (let k = 0; k < index.length; k++) {
      index[k] = Math.floor(position / strides[k]);
      position -= index[k] * strides[k];
    }
    return whole[source(index)];
  });
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((p) =>
    Array.from({ length: n }, (_, k) => [...p.slice(0, k), n - 1, ...p.slice(k)]),
  );
}

const ascending = (order: readonly number[]): boolean => order.every((axis, k) => axis === k);

const letters = ({ axes, shape }: Held): readonly string[] =>
  axes?.length === shape.length ? [...axes] : shape.map((_, k) => `${k}`);

const joined = (names: readonly string[]): string => names.join(names[0].length > 1 ? ',' : '');

const mostAxes = 5;

/** Axes in another order, in ours: `order[k]` is the reference's axis that lies on ours at k. */
function* axisOrders(suspect: Suspect): Generator<readonly number[]> {
  const { shape } = suspect;
  if (shape.length < 2 || shape.length > mostAxes) return;
  for (const order of permutations(shape.length)) if (!ascending(order)) yield order;
}

/** Ours holds the reference's axes in another order: told by its shape, or hidden under the reference's. */
const permuted: Hypothesis = {
  name: 'axes',
  about: 'axes in another order: NHWC, HWIO, a transposed weight',
  fits(numbers, suspect) {
    const { shape, ours } = suspect;
    const names = letters(suspect);
    return [...axisOrders(suspect)].flatMap((order): Fit[] => {
      const laid = order.map((axis) => shape[axis]);
      const strides = stridesOf(laid);
      const source: Source = (index) =>
        order.reduce((sum, axis, k) => sum + index[axis] * strides[k], 0);
      const left = leftWhen(numbers, source);
      if (!Number.isFinite(left)) return [];
      const told = ours.shape.length === laid.length && laid.every((d, k) => d === ours.shape[k]);
      const as = joined(order.map((axis) => names[axis]));
      const says =
        shape.length === 2 && told
          ? 'transposed'
          : told
            ? `its axes are in the order ${as}, the reference's ${joined(names)}`
            : `its numbers lie in the order ${as}, but its shape says ${joined(names)}`;
      return [{ key: `axes ${as}`, says, left, freedom: 0 }];
    });
  },
};

/** Flat positions of `shape` in another order of its axes, as they are read in a row. */
function readIn(shape: Shape, order: readonly number[]): Computed {
  const laid = order.map((axis) => shape[axis]);
  const [inner, strides] = [stridesOf(laid), stridesOf(shape)];
  return (position) =>
    order.reduce(
      (sum, axis, k) => sum + (Math.floor(position / inner[k]) % laid[k]) * strides[axis],
      0,
    );
}

/** The same numbers as those of the one tensor it is made of, in another shape. */
const flattened: Hypothesis = {
  name: 'flattened',
  about: 'maps or blocks that are made one row in another order of their axes: NHWC',
  fits(numbers, suspect, evidence) {
    const sources = sourcesOf(suspect, evidence);
    const [source] = sources;
    if (sources.length !== 1 || suspect.kind !== 'output') return [];
    if (sameShape(source.shape, suspect.shape)) return [];
    if (sizeOf(source.shape) !== sizeOf(suspect.shape) || source.shape.length > mostAxes) return [];
    const x = oursOf(evidence, source) ?? wholeOf(source);
    if (x === undefined) return [];
    const names = 'NCHW'.length === source.shape.length ? [...'NCHW'] : letters(source);
    // An axis of one place lies anywhere: it is told in its own.
    const orders = permutations(source.shape.length).filter(
      (order) =>
        !ascending(order) && order.every((axis, k) => axis === k || source.shape[axis] > 1),
    );
    return variantFits(
      numbers,
      (at) => x[at],
      orders.map((order): Variant => {
        const from = readIn(source.shape, order);
        const as = joined(order.map((axis) => names[axis]));
        return {
          key: `flattened ${as}`,
          says: `flattened in the order ${as}, the reference's ${joined(names)}`,
          value: (at) => x[from(at)],
        };
      }),
    );
  },
};

const axisWord: Readonly<Record<string, string>> = {
  N: 'images',
  C: 'channels',
  O: 'output channels',
  I: 'input channels',
  H: 'rows',
  W: 'columns',
  L: 'positions',
};

const called = (suspect: Suspect, axis: number): string => {
  const letter = letters(suspect)[axis];
  return axisWord[letter] ?? `places along axis ${letter}`;
};

/** What is left when `axis` is read by another index. */
const reindexed = (numbers: Numbers, axis: number, to: (index: number) => number): number => {
  const strides = stridesOf(numbers.shape);
  return leftWhen(numbers, (index) => {
    let flat = 0;
    for (let k = 0; k < index.length; k++)
      flat += (k === axis ? to(index[k]) : index[k]) * strides[k];
    return flat;
  });
};

const reversed: Hypothesis = {
  name: 'reversed',
  about: 'an axis backwards: RGB for BGR, a flipped kernel or image',
  fits(numbers, suspect) {
    const { shape } = numbers;
    const single = shape.flatMap((extent, axis): Fit[] => {
      if (extent < 2) return [];
      const left = reindexed(numbers, axis, (i) => extent - 1 - i);
      const colours = extent === 3 && 'CI'.includes(letters(suspect)[axis]) ? ' (RGB for BGR)' : '';
      const says = `its ${called(suspect, axis)} are in reverse${colours}`;
      return [{ key: `reversed ${called(suspect, axis)}`, says, left, freedom: 0 }];
    });
    const [h, w] = shape.slice(-2);
    if (shape.length < 4 || h < 2 || w < 2) return single;
    const strides = stridesOf(shape);
    const rank = shape.length;
    const left = leftWhen(numbers, (index) => {
      let flat = 0;
      for (let k = 0; k < rank; k++)
        flat += (k < rank - 2 ? index[k] : shape[k] - 1 - index[k]) * strides[k];
      return flat;
    });
    const says = 'rows and columns are both in reverse: a kernel turned by 180°';
    return [...single, { key: 'turned', says, left, freedom: 0 }];
  },
};

const mostShifts = 64;

const rolled: Hypothesis = {
  name: 'rolled',
  about: 'an axis shifted round by some places',
  fits: (numbers, suspect) =>
    numbers.shape.flatMap((extent, axis) => {
      const shifts = Array.from({ length: Math.min(extent - 1, mostShifts) }, (_, k) =>
        k < mostShifts / 2 || extent - 1 <= mostShifts ? k + 1 : extent - mostShifts + k,
      );
      return shifts.map((shift): Fit => {
        const left = reindexed(numbers, axis, (i) => (i + shift) % extent);
        const says = `its ${called(suspect, axis)} are shifted round by ${shift} of ${extent}`;
        return { key: `rolled ${called(suspect, axis)} ${shift}`, says, left, freedom: 1 };
      });
    }),
};

/** Into so many parts weights of recurrent layers (gates) and of attention (q, k, v) are divided. */
const partCounts = [2, 3, 4] as const;

const blocks: Hypothesis = {
  name: 'blocks',
  about: 'gates, or q, k and v, in another order',
  fits: (numbers, suspect) =>
    numbers.shape.flatMap((extent, axis) =>
      partCounts.flatMap((parts) => {
        if (extent % parts !== 0 || extent <= parts) return [];
        const size = extent / parts;
        return permutations(parts).flatMap((order): Fit[] => {
          if (ascending(order)) return [];
          const left = reindexed(
            numbers,
            axis,
            (i) => order[Math.floor(i / size)] * size + (i % size),
          );
          const says = `the ${parts} parts of its ${called(suspect, axis)} are in the order ${order.join(', ')}`;
          return [{ key: `blocks ${order.join()}`, says, left, freedom: 0 }];
        });
      }),
    ),
};

const mostSlices = 1024;

/** Pairs every slice of the truth with the nearest of ours, by the elements that are known of it. */
function pairing({ shape, at, truth, whole, unit }: Numbers, axis: number): Int32Array | undefined {
  const extent = shape[axis];
  const stride = stridesOf(shape)[axis];
  const known: number[][] = Array.from({ length: extent }, () => []);
  for (let i = 0; i < at.length; i++) known[Math.floor(at[i] / stride) % extent].push(i);
  if (known.some((list) => list.length < 2)) return undefined;
  const to = new Int32Array(extent);
  const free = new Set(Array.from({ length: extent }, (_, k) => k));
  for (let k = 0; k < extent; k++) {
    const looked = known[k].slice(0, firstFew);
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    for (const other of free) {
      let squares = 0;
      for (const i of looked) {
        const off = whole[at[i] + (other - k) * stride] - truth[i];
        squares += off * off;
        if (squares >= least) break;
      }
      if (squares < least) [best, least] = [other, squares];
    }
    if (!(Math.sqrt(least / looked.length) < 0.05 * unit)) return undefined;
    to[k] = best;
    free.delete(best);
  }
  return to;
}

const firstFew = 32;

const shuffled: Hypothesis = {
  name: 'shuffled',
  about: 'images, channels or classes in another order',
  fits: (numbers, suspect) =>
    numbers.shape.flatMap((extent, axis): Fit[] => {
      if (extent < 3 || extent > mostSlices || numbers.truth.length === extent) return [];
      const to = pairing(numbers, axis);
      if (to === undefined || to.every((k, i) => k === i)) return [];
      const moved = to.filter((k, i) => k !== i).length;
      const left = reindexed(numbers, axis, (i) => to[i]);
      const says = `${moved} of its ${extent} ${called(suspect, axis)} are in other places, the first: ${[...to.slice(0, 6)].join(', ')}`;
      return [{ key: `shuffled ${called(suspect, axis)}`, says, left, freedom: 1 }];
    }),
};

/** The same numbers, elsewhere. */
export const orderHypotheses: readonly Hypothesis[] = [
  permuted,
  flattened,
  reversed,
  blocks,
  rolled,
  shuffled,
];
