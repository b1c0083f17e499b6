import { type Shape, sameShape, sizeOf, stridesOf } from '../../tensor/shape.ts';
import { orderOf } from '../layout.ts';

/** One way to read a tensor of ours as a probe has it. */
export interface Way {
  /** As a map says it; undefined where the axes lie as PyTorch's do. */
  readonly layout?: string;
  /** PyTorch's axes in the letters of `layout`. */
  readonly theirs?: string;
  /** Which of our axes each of the probe's is: equal for layouts that mean the same of other letters. */
  readonly order: string;
  /** A shape that no order of axes turns into the probe's, though there are as many elements. */
  readonly reshaped?: true;
  /** Extents of the probe's elements in C order, and the steps between them in ours. */
  readonly extents: readonly number[];
  readonly strides: readonly number[];
}

/** Up to here all orders of axes are tried. */
const mostAxes = 5;

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Orders that engines have, likeliest first: which of our axes each of PyTorch's is. */
function usualOrders(n: number): number[][] {
  const same = counting(n);
  if (n < 3) return [same, same.toReversed()];
  const [first, ...rest] = same;
  // NHWC of NCHW; HWIO and HWOI of OIHW.
  const channelsLast = [first, n - 1, ...rest.slice(0, -1)];
  return [
    same,
    channelsLast,
    [n - 1, n - 2, ...counting(n - 2)],
    [n - 2, n - 1, ...counting(n - 2)],
  ];
}

/** All orders that are tried, the usual ones first. */
function ordersOf(n: number): number[][] {
  const all = [...usualOrders(n), ...(n <= mostAxes ? permutations(n) : [])];
  return [...new Map(all.map((order) => [order.join(), order])).values()];
}

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVW'];

/** What the axes are probably called where a reference does not say it, seen by the order they lie in. */
const usualLetters: Readonly<Record<string, string>> = {
  '1,0': 'OI',
  '0,2,1': 'NCL',
  '0,3,1,2': 'NCHW',
  '0,4,1,2,3': 'NCDHW',
  '3,2,0,1': 'OIHW',
  '4,3,0,1,2': 'OIDHW',
};

/** A letter for each axis of the probe. */
function lettersOf(shape: Shape, axes: string | undefined, order: readonly number[]): string[] {
  const known = [...(axes ?? usualLetters[order.join()] ?? '')];
  const fit = known.length === shape.length && new Set(known).size === known.length;
  return fit && !known.includes('1') ? known : shape.map((_, i) => alphabet[i] ?? `x${i}`);
}

const joined = (letters: readonly string[]): string =>
  letters.join(letters.some((letter) => letter.length > 1) ? ',' : '');

/** The layout in as few letters as it is understood by. */
function layoutText(ours: readonly string[], theirs: readonly string[], axes: string | undefined) {
  const short = joined(ours);
  try {
    if (joined(orderOf(short, axes).to) === joined(theirs)) return short;
  } catch {
    // Its order in PyTorch is to be said.
  }
  return `${short}->${joined(theirs)}`;
}

/** Each extent of `b` from an equal one of `a`, in every order that `orders` has. */
function matching(a: Shape, b: Shape): number[][] {
  if (a.length !== b.length) return [];
  return ordersOf(a.length).filter((order) => order.every((from, k) => a[from] === b[k]));
}

/** Of the same shape but for the order: axes of one element are permuted too, so no `1` has to be said. */
function permuted(ours: Shape, theirs: Shape, axes: string | undefined): Way[] {
  const steps = stridesOf(ours);
  return matching(ours, theirs).map((order) => {
    const letters = lettersOf(theirs, axes, order);
    const own = ours.map((_, axis) => letters[order.indexOf(axis)]);
    const same = order.every((axis, k) => axis === k);
    return {
      ...(!same && { layout: layoutText(own, letters, axes), theirs: joined(letters) }),
      order: order.join(),
      extents: theirs,
      strides: order.map((axis) => steps[axis]),
    };
  });
}

const long = (shape: Shape): number[] => counting(shape.length).filter((axis) => shape[axis] !== 1);

/** Of shapes that differ by axes of one element. */
function squeezed(ours: Shape, theirs: Shape, axes: string | undefined): Way[] {
  const [own, other] = [long(ours), long(theirs)];
  const letters = lettersOf(theirs, axes, []);
  const steps = stridesOf(ours);
  const picked = (shape: Shape, kept: readonly number[]) => kept.map((axis) => shape[axis]);
  const to = joined(theirs.map((d, k) => (d === 1 ? '1' : letters[k])));
  return matching(picked(ours, own), picked(theirs, other)).map((order) => {
    const named = ours.map((d, axis) =>
      d === 1 ? '1' : letters[other[order.indexOf(own.indexOf(axis))]],
    );
    return {
      layout: `${joined(named)}->${to}`,
      order: `1:${order.join()}`,
      extents: picked(theirs, other),
      strides: order.map((at) => steps[own[at]]),
    };
  });
}

/** TensorFlow's depthwise kernels [H, W, I, M] of several maps each: PyTorch's [I·M, 1, H, W]. */
function depthwise(ours: Shape, theirs: Shape): Way[] {
  if (ours.length !== 4 || theirs.length !== 4) return [];
  const [h, w, i, m] = ours;
  if (m === 1 || !sameShape(theirs, [i * m, 1, h, w])) return [];
  const steps = stridesOf(ours);
  const order = [2, 3, 0, 1];
  return [
    {
      layout: 'HWIM',
      theirs: 'OIHW',
      order: order.join(),
      extents: order.map((axis) => ours[axis]),
      strides: order.map((axis) => steps[axis]),
    },
  ];
}

/** One for each thing that becomes of the elements: of axes of one element the order does not matter. */
function distinct(ways: readonly Way[]): Way[] {
  const found = new Map<string, Way>();
  for (const way of ways) {
    const kept = long(way.extents);
    const key = kept.map((axis) => `${way.extents[axis]}@${way.strides[axis]}`).join();
    if (!found.has(key)) found.set(key, way);
  }
  return [...found.values()];
}

/**
 * Every way to read a tensor of shape `ours` as one of shape `theirs`, the likeliest first; none where they do not have
 * as many elements. `axes` are PyTorch's where they are known.
 */
export function waysOf(ours: Shape, theirs: Shape, axes?: string): Way[] {
  const size = sizeOf(theirs);
  if (sizeOf(ours) !== size) return [];
  const plain = { order: '', extents: [size], strides: [1] };
  // One number is one number: the judge takes it in any shape.
  if (size === 1) return [plain];
  const same = ours.length === theirs.length;
  const found = [
    ...(same ? [...permuted(ours, theirs, axes), ...depthwise(ours, theirs)] : []),
    // Of many axes only some orders are tried; without those of one element they may be few.
    ...(same && ours.length <= mostAxes ? [] : squeezed(ours, theirs, axes)),
  ];
  return found.length > 0 ? distinct(found) : [{ ...plain, reshaped: true }];
}

/** Where in our tensor the elements lie that the probe has at `positions`, or everywhere. */
export function offsetsOf({ extents, strides }: Way, positions: Int32Array | number): Int32Array {
  const inner = stridesOf(extents);
  const at = (position: number): number => {
    let [rest, offset] = [position, 0];
    for (let axis = 0; axis < extents.length; axis++) {
      const index = Math.floor(rest / inner[axis]);
      offset += index * strides[axis];
      rest -= index * inner[axis];
    }
    return offset;
  };
  return typeof positions === 'number'
    ? Int32Array.from({ length: positions }, (_, i) => at(i))
    : positions.map(at);
}
