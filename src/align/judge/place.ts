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

/** Where wrong elements lie. */
export interface Place {
  /** `everywhere`, `only in channel 3`, `only at the border`, `scattered` */
  readonly words: string;
  /** Whether a flat position lies there; where it is a part of the tensor. */
  readonly covers?: (position: number) => boolean;
  /** Whether the indices on every axis lie side by side, or there is but one. */
  readonly together?: boolean;
  /** Rows and columns from the edge, where it is a border. */
  readonly deep?: number;
}

/** `image 29, the last`, `channels 0, 3 of 64`, or undefined where the axis says nothing. */
function onAxis(
  [one, several]: readonly [one: string, several: string],
  axis: Axis,
  wrong: Positions,
  compared: Positions,
): Required<Omit<Place, 'deep'>> | undefined {
  const [bad, seen] = [indicesOn(axis, wrong), indicesOn(axis, compared)];
  if (seen.length < 2 || bad.length > seen.length / 2) return undefined;
  const [first] = bad;
  const among = new Set(bad);
  const covers = (position: number): boolean => among.has(indexOn(axis, position));
  const last = bad[bad.length - 1];
  const together = last - first === bad.length - 1;
  if (bad.length === 1) {
    const words = `${one} ${first}${first === axis.extent - 1 ? ', the last' : ''}`;
    return { words, covers, together };
  }
  const named = bad.slice(0, fewNamed).join(', ');
  const more = bad.length > fewNamed ? ', …' : '';
  const words = `${several} ${named}${more} (${bad.length} of ${seen.length})`;
  return { words, covers, together };
}

const deepest = 3;
const byChance = 0.01;

/** One edge of a map: how far from it a position lies. */
interface Edge {
  readonly axis: Axis;
  readonly name: string;
  readonly from: (position: number) => number;
}

function edgesOf(axes: readonly Axis[]): Edge[] {
  // The first axis has no border: it counts images, or rows of a list.
  const sides = axes.slice(1).slice(-2);
  return sides.flatMap((axis, k) => {
    const line = sides.length - k === 2 ? 'row' : 'column';
    const last = axis.extent - 1;
    return axis.extent > 2
      ? [
          { axis, name: `first ${line}`, from: (p: number) => indexOn(axis, p) },
          { axis, name: `last ${line}`, from: (p: number) => last - indexOn(axis, p) },
        ]
      : [];
  });
}

function subsets<T>([first, ...rest]: readonly T[]): T[][] {
  if (first === undefined) return [[]];
  const without = subsets(rest);
  return [...without, ...without.map((chosen) => [first, ...chosen])];
}

const allOf = (positions: Positions, holds: (position: number) => boolean): boolean => {
  for (let i = 0; i < positions.length; i++) if (!holds(positions[i])) return false;
  return true;
};

/** What is inside is no single line: what changes from side to side goes through zero somewhere. */
const fewestLines = 2;

const linesInside = (axis: Axis, chosen: readonly Edge[], deep: number): number =>
  axis.extent - deep * chosen.filter((edge) => edge.axis === axis).length;

/** The smallest border of the last axes, or part of it, that holds all of the wrong ones. */
function atBorder(axes: readonly Axis[], wrong: Positions, compared: Positions): Place | undefined {
  const edges = edgesOf(axes);
  const some = subsets(edges)
    .filter((chosen) => chosen.length > 1)
    .sort((a, b) => a.length - b.length);
  for (let deep = 1; deep <= deepest; deep++) {
    const fitting = some.find(
      (chosen) =>
        chosen.every(({ axis }) => linesInside(axis, chosen, deep) >= fewestLines) &&
        allOf(wrong, (position) => chosen.some(({ from }) => from(position) < deep)),
    );
    if (fitting === undefined) continue;
    const covers = (position: number): boolean => fitting.some(({ from }) => from(position) < deep);
    let inside = 0;
    for (let i = 0; i < compared.length; i++) if (!covers(compared[i])) inside++;
    // Where little is inside, a few that lie anywhere all lie at the border.
    if ((1 - inside / compared.length) ** wrong.length > byChance) return undefined;
    const side =
      fitting.length === edges.length
        ? 'at the border'
        : `in the ${fitting.map(({ name }) => name).join(' and the ')}`;
    return {
      words: `only ${side}${deep > 1 ? `, ${deep} deep` : ''}`,
      covers,
      together: true,
      deep,
    };
  }
  return undefined;
}

/**
 * Where the elements at flat positions `wrong` lie among those at `compared`. `axes` names the axes of `shape`, one
 * letter each, where that is known.
 */
export function findPlace(
  wrong: Positions,
  compared: Positions,
  shape: Shape,
  axes?: string,
): Place {
  if (wrong.length === compared.length) return { words: 'everywhere' };
  if (wrong.length > allButFew * compared.length) return { words: 'nearly everywhere' };
  if (wrong.length === 1) return { words: 'one element' };
  const all = axesOf(shape);
  const found = all.flatMap((axis, k) => {
    const letter = axes?.length === shape.length ? axes[k] : '';
    const word = called[letter];
    const plain = `axis ${letter || k} =`;
    const words = word === undefined ? ([plain, plain] as const) : ([word, `${word}s`] as const);
    return onAxis(words, axis, wrong, compared) ?? [];
  });
  if (found.length === 0) return atBorder(all, wrong, compared) ?? { words: 'scattered' };
  return {
    words: `only in ${found.map(({ words }) => words).join('; ')}`,
    covers: (position) => found.every(({ covers }) => covers(position)),
    together: found.every(({ together }) => together),
  };
}

/** The same in words alone. */
export const placeOf = (...given: Parameters<typeof findPlace>): string =>
  findPlace(...given).words;
