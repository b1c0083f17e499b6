/*
 * Contour lines of a function known on a grid, by marching squares: in each cell the line enters and leaves where the
 * function, taken as linear along the cell's sides, has the level.
 */

export type Place = readonly [x: number, y: number];

/** Values of a function: `values[row][column]` at (xs[column], ys[row]); both axes ascend. */
export interface Grid {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly values: readonly (readonly number[])[];
}

/** A contour line; a closed one ends where it begins. */
export interface ContourLine {
  readonly places: readonly Place[];
  readonly closed: boolean;
}

/** A side of a cell: from a corner to the next one to the right, or above. */
type Side = readonly [column: number, row: number, way: 'right' | 'up'];

const keyOf = ([column, row, way]: Side): string => `${column} ${row} ${way}`;

/** Where the line crosses a side whose ends lie on both sides of the level. */
function crossing({ xs, ys, values }: Grid, level: number, [column, row, way]: Side): Place {
  const [toColumn, toRow] = way === 'right' ? [column + 1, row] : [column, row + 1];
  const [from, to] = [values[row][column], values[toRow][toColumn]];
  // A grid without end values stands on the ring around another, whose places are those of its border.
  const share = Number.isFinite(to - from) ? (level - from) / (to - from) : 0;
  const between = (a: number, b: number): number => a + (b - a) * share;
  return [between(xs[column], xs[toColumn]), between(ys[row], ys[toRow])];
}

/**
 * Which sides of a cell its lines join, by its corners at or above the level: lower left 1, lower right 2, upper
 * right 4, upper left 8. Sides: 0 below, 1 right, 2 above, 3 left. Two opposite corners alone are decided elsewhere.
 */
const joined: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

/** Around each of two opposite corners, or around the other two. */
const apart = {
  lowerLeft: [
    [3, 0],
    [1, 2],
  ],
  lowerRight: [
    [0, 1],
    [2, 3],
  ],
} as const;

function linesOf(
  corners: readonly number[],
  level: number,
): readonly (readonly [number, number])[] {
  const kind = corners.reduce((sum, value, i) => sum + (value >= level ? 1 << i : 0), 0);
  if (kind !== 5 && kind !== 10) return joined[kind];
  // A saddle: what its middle has, is connected.
  const middle = corners.reduce((sum, value) => sum + value, 0) / 4 >= level;
  return (kind === 5) === middle ? apart.lowerRight : apart.lowerLeft;
}

/** For every side that is crossed, the sides that the line goes on to: two, or one at the border. */
function crossedSides({ xs, ys, values }: Grid, level: number): Map<string, Side[]> {
  const next = new Map<string, Side[]>();
  for (let row = 0; row + 1 < ys.length; row++) {
    for (let column = 0; column + 1 < xs.length; column++) {
      const corners = [
        values[row][column],
        values[row][column + 1],
        values[row + 1][column + 1],
        values[row + 1][column],
      ];
      const sides: readonly Side[] = [
        [column, row, 'right'],
        [column + 1, row, 'up'],
        [column, row + 1, 'right'],
        [column, row, 'up'],
      ];
      for (const [from, to] of linesOf(corners, level)) {
        for (const [a, b] of [
          [sides[from], sides[to]],
          [sides[to], sides[from]],
        ]) {
          next.set(keyOf(a), [...(next.get(keyOf(a)) ?? []), b]);
        }
      }
    }
  }
  return next;
}

const sideOf = (key: string): Side => {
  const [column, row, way] = key.split(' ');
  return [Number(column), Number(row), way as Side[2]];
};

/**
 * The lines on which the function has `level`: those that end at the border, then the closed ones. Values must be
 * numbers; −Infinity and Infinity are taken for what lies outside.
 */
export function contourLines(grid: Grid, level: number): ContourLine[] {
  const next = crossedSides(grid, level);
  const seen = new Set<string>();
  const follow = (start: string): Place[] => {
    const places: Place[] = [];
    for (let key: string | undefined = start; key !== undefined; ) {
      seen.add(key);
      places.push(crossing(grid, level, sideOf(key)));
      key = next
        .get(key)
        ?.map(keyOf)
        .find((other) => !seen.has(other));
    }
    return places;
  };
  const lines = (closed: boolean): ContourLine[] =>
    [...next].flatMap(([key, ways]) => {
      if (seen.has(key) || (!closed && ways.length > 1)) return [];
      const places = follow(key);
      return [{ places: closed ? [...places, places[0]] : places, closed }];
    });
  return [...lines(false), ...lines(true)];
}

const ringed = <T>(values: readonly T[], ring: (end: T) => T): T[] => [
  ring(values[0]),
  ...values,
  ring(values[values.length - 1]),
];

/**
 * The borders of where the function is at or above `level`, the grid's own border among them: closed lines, to be
 * filled by the even-odd rule.
 */
export function regionBorders({ xs, ys, values }: Grid, level: number): readonly Place[][] {
  const same = (end: number): number => end;
  const below = (): number => Number.NEGATIVE_INFINITY;
  const grid: Grid = {
    xs: ringed(xs, same),
    ys: ringed(ys, same),
    values: ringed(
      values.map((row) => ringed(row, below)),
      (row) => row.map(below),
    ),
  };
  return contourLines(grid, level).map(({ places }) => [...places]);
}
