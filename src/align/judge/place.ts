import type { Shape } from '../../tensor/shape.ts';

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

interface Axis {
  /** How one index of it is called, and several. */
  readonly words: readonly [one: string, several: string];
  readonly extent: number;
  /** Indices that were compared, and those of elements beyond the limit. */
  readonly seen: ReadonlySet<number>;
  readonly wrong: ReadonlySet<number>;
}

const indices = (points: readonly (readonly number[])[], axis: number): Set<number> =>
  new Set(points.map((point) => point[axis]));

/** `image 29, the last`, `channels 0, 3 of 64`, or undefined where the axis says nothing. */
function onAxis({ words: [one, several], extent, seen, wrong }: Axis): string | undefined {
  if (seen.size < 2 || wrong.size > seen.size / 2) return undefined;
  const [first] = wrong;
  if (wrong.size === 1) return `${one} ${first}${first === extent - 1 ? ', the last' : ''}`;
  const sorted = [...wrong].sort((a, b) => a - b);
  const named = sorted.slice(0, fewNamed).join(', ');
  return `${several} ${named}${sorted.length > fewNamed ? ', …' : ''} (${wrong.size} of ${seen.size})`;
}

/**
 * Where the elements at flat positions `wrong` lie among those at `compared`: `everywhere`, `only in channel 3`, `only
 * at the border`, `scattered`. `axes` names the axes of `shape`, one letter each, where that is known.
 */
export function placeOf(
  wrong: readonly number[],
  compared: readonly number[],
  shape: Shape,
  axes?: string,
): string {
  if (wrong.length === compared.length) return 'everywhere';
  if (wrong.length > allButFew * compared.length) return 'nearly everywhere';
  if (wrong.length === 1) return 'one element';
  const [bad, all] = [wrong, compared].map((list) => list.map((p) => coordinates(p, shape)));
  const found = shape.flatMap((extent, k) => {
    const letter = axes?.length === shape.length ? axes[k] : '';
    const word = called[letter];
    const plain = `axis ${letter || k} =`;
    const words = word === undefined ? ([plain, plain] as const) : ([word, `${word}s`] as const);
    const axis = { words, extent, seen: indices(all, k), wrong: indices(bad, k) };
    return onAxis(axis) ?? [];
  });
  if (found.length > 0) return `only in ${found.join('; ')}`;
  const sides = [shape.length - 2, shape.length - 1].filter((k) => k >= 1 && shape[k] > 2);
  const atBorder = (point: readonly number[]): boolean =>
    sides.some((k) => point[k] === 0 || point[k] === shape[k] - 1);
  const inside = sides.length > 0 && all.some((point) => !atBorder(point));
  return inside && bad.every(atBorder) ? 'only at the border' : 'scattered';
}
