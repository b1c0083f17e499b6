import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contourLevels, drawnMost, levelLabels } from './contourLevels.ts';
import { contourLines, type Grid, type Place, regionBorders } from './contours.ts';

const axis = (size: number) =>
  fc
    .array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: size, maxLength: size })
    .map((steps) => steps.map((_, i) => steps.slice(0, i).reduce((a, b) => a + b, -2)));

const value = fc.double({ min: -5, max: 5, noNaN: true });

/** Values need not be smooth: saddles and spikes are the hard cases. */
const grids: fc.Arbitrary<Grid> = fc
  .tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 2, max: 7 }))
  .chain(([wide, high]) =>
    fc.record({
      xs: axis(wide),
      ys: axis(high),
      values: fc.array(fc.array(value, { minLength: wide, maxLength: wide }), {
        minLength: high,
        maxLength: high,
      }),
    }),
  );

const between = (axis: readonly number[], at: number): [index: number, share: number] => {
  const last = axis.length - 2;
  const index = Math.min(
    last,
    axis.findLastIndex((edge) => edge <= at + 1e-12),
  );
  return [index, (at - axis[index]) / (axis[index + 1] - axis[index])];
};

/** The function at a place on a grid line, interpolated along that line. */
function interpolated({ xs, ys, values }: Grid, [x, y]: Place): number {
  const [column, right] = between(xs, x);
  const [row, up] = between(ys, y);
  const [low, high] = [row, row + 1].map(
    (r) => values[r][column] * (1 - right) + values[r][column + 1] * right,
  );
  return low * (1 - up) + high * up;
}

const isOn = (axis: readonly number[], at: number): boolean =>
  axis.some((edge) => Math.abs(edge - at) < 1e-9);

/** Sides of cells whose ends lie on both sides of the level. */
function crossedCount({ values }: Grid, level: number): number {
  const above = values.map((row) => row.map((v) => v >= level));
  return above
    .flatMap((row, r) =>
      row.map(
        (here, c) =>
          Number(c + 1 < row.length && here !== row[c + 1]) +
          Number(r + 1 < above.length && here !== above[r + 1][c]),
      ),
    )
    .reduce((a, b) => a + b, 0);
}

/** By the even-odd rule, on a ray to the right. */
function isInside(borders: readonly (readonly Place[])[], [x, y]: Place): boolean {
  let crossings = 0;
  for (const places of borders) {
    for (const [i, [x1, y1]] of places.slice(1).entries()) {
      const [x0, y0] = places[i];
      if (y0 > y === y1 > y) continue;
      if (x0 + ((x1 - x0) * (y - y0)) / (y1 - y0) > x) crossings++;
    }
  }
  return crossings % 2 === 1;
}

describe('contour lines', () => {
  test('lie where the function has the level, on the sides of cells', () => {
    fc.assert(
      fc.property(grids, value, (grid, level) => {
        for (const { places } of contourLines(grid, level)) {
          for (const place of places) {
            expect(isOn(grid.xs, place[0]) || isOn(grid.ys, place[1])).toBe(true);
            expect(Math.abs(interpolated(grid, place) - level)).toBeLessThan(1e-6);
          }
        }
      }),
    );
  });

  test('cross every side that they must, once', () => {
    fc.assert(
      fc.property(grids, value, (grid, level) => {
        const lines = contourLines(grid, level);
        const count = lines.reduce(
          (n, { places, closed }) => n + places.length - Number(closed),
          0,
        );
        expect(count).toBe(crossedCount(grid, level));
      }),
    );
  });

  test('end at the border or where they begin', () => {
    fc.assert(
      fc.property(grids, value, (grid, level) => {
        const { xs, ys } = grid;
        const atBorder = ([x, y]: Place): boolean =>
          isOn([xs[0], xs[xs.length - 1]], x) || isOn([ys[0], ys[ys.length - 1]], y);
        for (const { places, closed } of contourLines(grid, level)) {
          const [first, last] = [places[0], places[places.length - 1]];
          if (closed) expect(last).toEqual(first);
          else expect([first, last].every(atBorder)).toBe(true);
        }
      }),
    );
  });

  test('of a cone are circles', () => {
    const xs = Array.from({ length: 41 }, (_, i) => (i - 20) / 10);
    const grid = { xs, ys: xs, values: xs.map((y) => xs.map((x) => Math.hypot(x, y))) };
    const lines = contourLines(grid, 1.23);
    expect(lines).toHaveLength(1);
    expect(lines[0].closed).toBe(true);
    for (const [x, y] of lines[0].places) expect(Math.hypot(x, y)).toBeCloseTo(1.23, 2);
  });

  test('part a saddle by what its middle has', () => {
    const saddle = (high: number): Grid => ({
      xs: [0, 1],
      ys: [0, 1],
      values: [
        [high, 0],
        [0, high],
      ],
    });
    // The high corners are joined, so each line cuts off a low one; else the other way round.
    const cutOff = (high: number): boolean[] =>
      contourLines(saddle(high), 1).map(
        ({ places }) =>
          places.every(([x, y]) => x + (1 - y) < 1) || places.every(([x, y]) => x + (1 - y) > 1),
      );
    expect(cutOff(3)).toEqual([true, true]);
    expect(cutOff(1.5)).toEqual([false, false]);
  });
});

test('borders hold what is at or above the level, and nothing else', () => {
  fc.assert(
    fc.property(grids, value, (grid, level) => {
      const borders = regionBorders(grid, level);
      const { xs, ys, values } = grid;
      for (let row = 1; row + 1 < ys.length; row++) {
        for (let column = 1; column + 1 < xs.length; column++) {
          const here = values[row][column];
          if (Math.abs(here - level) < 1e-6) continue;
          // Beside the node, for lines along its row pass through it.
          const place: Place = [xs[column] + 1e-9, ys[row] + 1e-9];
          expect(isInside(borders, place)).toBe(here >= level);
        }
      }
    }),
  );
});

describe('levels', () => {
  const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 2 });

  test('lie between the least and the largest, at distances that grow by one factor', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 9 }), (all, count) => {
        const [least, most] = [Math.min(...all), Math.max(...all)];
        fc.pre(most - least > 1e-3);
        const levels = contourLevels(all, { count, firstLog: -5 });
        expect(levels).toHaveLength(count - 1);
        const away = [...levels.map((level) => level - least), most - least];
        const factors = away.slice(1).map((d, i) => Math.log(d / away[i]));
        for (const factor of factors) {
          expect(factor).toBeGreaterThan(0);
          expect(factor).toBeCloseTo(factors[0], 5);
        }
      }),
    );
  });

  test('are those of the authors’ plot: min + exp(−5), up to the clip', () => {
    const levels = contourLevels([0.5, 0.6, 40, Number.NaN], { count: 7, clip: 1.5, firstLog: -5 });
    // NumPy: 0.5 + exp(-5 + (log(1.0) + 5) / 7 * arange(1, 7))
    const theirs = [0.51376379, 0.52811566, 0.55743262, 0.61731917, 0.73965104, 0.98954166];
    expect(levels).toHaveLength(6);
    levels.forEach((level, i) => {
      expect(level).toBeCloseTo(theirs[i], 7);
    });
  });

  test('there are none where all is the same, and none above a clip that all values pass', () => {
    expect(contourLevels([2, 2, 2], { count: 7, firstLog: -5 })).toEqual([]);
    expect(drawnMost([3, 5], 1)).toBe(5);
    expect(drawnMost([3, Number.POSITIVE_INFINITY], 4)).toBe(3);
  });

  test('are told apart by their labels', () => {
    expect(levelLabels([1.8601, 1.8612, 1.9])).toEqual(['1.86', '1.861', '1.9']);
    expect(levelLabels([0.01234, 70.04])).toEqual(['0.0123', '70']);
  });
});
