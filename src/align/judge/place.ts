import { type Shape, sizeOf } from '../../tensor/shape.ts';

/** What people call an index on an axis of that letter. */
const called: Readonly<Record<string, string>> = {
  N: 'image',
  C: 'channel',
  O: 'output channel',
  I: 'input channel',
  H: 'row',
  W: 'column',
  L: 'position',
  T: 'position',
};

/** Coordinates of a flat position. */
export function coordinates(position: number, shape: Shape): number[] {
  const out: number[] = [];
  let rest = position;
  for (const extent of shape.toReversed()) {
    out.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return out;
}

const allButFew = 0.9;
const fewNamed = 4;

/** Flat positions into a tensor. */
type Positions = ArrayLike<number>;

/** One axis of a tensor, and how far apart its neighbours lie. */
interface Axis {
  readonly extent: number;
  readonly stride: number;
}

const axesOf = (shape: Shape): Axis[] =>
  shape.map((extent, k) => ({ extent, stride: sizeOf(shape.slice(k + 1)) }));

const indexOn = ({ extent, stride }: Axis, position: number): number =>
  Math.floor(position / stride) % extent;

/** Every index that occurs on an axis, ascending. A tensor may have many millions of elements: no list of them. */
function indicesOn(axis: Axis, positions: Positions): number[] {
  const there = new Uint8Array(axis.extent);
  for (let i = 0; i < positions.length; i++) there[indexOn(axis, positions[i])] = 1;
  return Array.from(there.keys()).filter((index) => there[index] === 1);
}

/** `image 29, the last`, `channels 0, 3 of 64`, or undefined where the axis says nothing. */
function onAxis(
  [one, several]: readonly [one: string, several: string],
  axis: Axis,
  wrong: Positions,
  compared: Positions,
): string | undefined {
  const [bad, seen] = [indicesOn(axis, wrong), indicesOn(axis, compared)];
  if (seen.length < 2 || bad.length > seen.length / 2) return undefined;
  const [first] = bad;
  if (bad.length === 1) return `${one} ${first}${first === axis.extent - 1 ? ', the last' : ''}`;
  const named = bad.slice(0, fewNamed).join(', ');
  return `${several} ${named}${bad.length > fewNamed ? ', …' : ''} (${bad.length} of ${seen.length})`;
}

/** Whether all of the wrong ones lie at the border of the last axes, and others inside. */
function onlyAtBorder(axes: readonly Axis[], wrong: Positions, compared: Positions): boolean {
  // The first axis has no border: it counts images, or rows of a list.
  const sides = axes
    .slice(1)
    .slice(-2)
    .filter(({ extent }) => extent > 2);
  const inside = (position: number): boolean =>
    sides.every((axis) => {
      const index = indexOn(axis, position);
      return index > 0 && index < axis.extent - 1;
    });
  if (sides.length === 0) return false;
  for (let i = 0; i < wrong.length; i++) if (inside(wrong[i])) return false;
  for (let i = 0; i < compared.length; i++) if (inside(compared[i])) return true;
  return false;
}

/**
 * Where the elements at flat positions `wrong` lie among those at `compared`: `everywhere`, `only in channel 3`, `only
 * at the border`, `scattered`. `axes` names the axes of `shape`, one letter each, where that is known.
 */
export function placeOf(
  wrong: Positions,
  compared: Positions,
  shape: Shape,
  axes?: string,
): string {
  if (wrong.length === compared.length) return 'everywhere';
  if (wrong.length > allButFew * compared.length) return 'nearly everywhere';
  if (wrong.length === 1) return 'one element';
  const all = axesOf(shape);
  const found = all.flatMap((axis, k) => {
    const letter = axes?.length === shape.length ? axes[k] : '';
    const word = called[letter];
    const plain = `axis ${letter || k} =`;
    const words = word === undefined ? ([plain, plain] as const) : ([word, `${word}s`] as const);
    return onAxis(words, axis, wrong, compared) ?? [];
  });
  if (found.length > 0) return `only in ${found.join('; ')}`;
  return onlyAtBorder(all, wrong, compared) ? 'only at the border' : 'scattered';
}
