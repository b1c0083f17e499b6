import fc from 'fast-check';
import { expect, test } from 'vitest';
import { svgProblems } from '../../../test/svgProblems.ts';
import { type ContourPanel, drawContourPanel } from './contourPanel.ts';
import { pictureSvg } from './figure.ts';
import { textWidth } from './svg.ts';

const axis = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** A bowl with a ripple, or whatever the numbers give. */
const panelOf = (
  [cx, cy, ripple, high]: readonly number[],
  spots: ContourPanel['spots'],
): ContourPanel => {
  const [xs, ys] = [axis(-3, 12, 13), axis(-3, high, 11)];
  return {
    title: 'Training <loss>',
    xLabel: 'x',
    yLabel: 'y',
    grid: {
      xs,
      ys,
      values: ys.map((y) =>
        xs.map((x) => 0.1 + ((x - cx) ** 2 + (y - cy) ** 2) / 50 + ripple * Math.sin(x + 2 * y)),
      ),
    },
    levels: { count: 7, clip: 2.3, firstLog: -5 },
    colour: 0,
    spots,
    notes: ['a note'],
  };
};

const drawn = (panel: ContourPanel): string =>
  pictureSvg({ title: 'T', subtitle: 's', runs: [], description: 'so & so' }, [
    (top, width) => drawContourPanel(panel, top, width),
  ]);

/** Labels on the plot: contour values and names of points. */
const labels = (svg: string) =>
  [...svg.matchAll(/<text x="([-\d.]+)" y="([-\d.]+)" class="halo"[^>]*>([^<]*)</g)].map(
    ([, x, y, words]) => ({ x: Number(x), y: Number(y), words, wide: textWidth(words, 12) }),
  );

const numbers = fc.tuple(
  fc.double({ min: -3, max: 12, noNaN: true }),
  fc.double({ min: -3, max: 8, noNaN: true }),
  fc.double({ min: 0, max: 0.4, noNaN: true }),
  fc.double({ min: 0, max: 14, noNaN: true }),
);

const spots = [
  { x: 0, y: 0, name: 'SGD 30' },
  { x: 9, y: 0, name: 'SGD 36' },
  { x: 4.5, y: 0.1, name: 'SWA' },
];

test('labels of lines and points overlap nowhere', () => {
  fc.assert(
    fc.property(numbers, (of) => {
      const svg = drawn(panelOf(of, of[3] > 0.5 ? spots : []));
      expect(svgProblems(svg)).toEqual([]);
      const all = labels(svg);
      for (const [i, a] of all.entries()) {
        for (const b of all.slice(i + 1)) {
          const apart = Math.abs(a.x - b.x) > (a.wide + b.wide) / 2 || Math.abs(a.y - b.y) > 15;
          expect(apart, `${a.words} and ${b.words}`).toBe(true);
        }
      }
    }),
  );
});

test('every line’s value is written on it where there is room, and below in any case', () => {
  const svg = drawn(panelOf([4, 3, 0, 10], spots));
  const [, below] = /lines at ([^<]*)</.exec(svg) ?? [];
  const values = below.split(', ');
  expect(values).toHaveLength(6);
  const onPlot = labels(svg).map(({ words }) => words);
  expect(onPlot.filter((words) => values.includes(words)).length).toBeGreaterThanOrEqual(4);
  expect(onPlot).toEqual(expect.arrayContaining(['SGD 30', 'SGD 36', 'SWA']));
  expect(svg).toContain('<desc>so &amp; so</desc>');
});

test('one unit is as long on the y axis as on the x axis', () => {
  const svg = drawn(panelOf([4, 3, 0, 10], spots));
  const at = [...svg.matchAll(/<circle class="spot" cx="([\d.]+)" cy="([\d.]+)"/g)].map(
    ([, x, y]) => [Number(x), Number(y)] as const,
  );
  const length = (a: number, b: number): number =>
    Math.hypot(at[a][0] - at[b][0], at[a][1] - at[b][1]);
  expect(length(0, 2) / length(0, 1)).toBeCloseTo(Math.hypot(4.5, 0.1) / 9, 3);
});

test('the same value everywhere, NaN and infinity leave a picture', () => {
  const panel = panelOf([4, 3, 0, 10], spots);
  const flat = { ...panel.grid, values: panel.grid.values.map((row) => row.map(() => 2)) };
  const odd = {
    ...panel.grid,
    values: panel.grid.values.map((row, i) =>
      row.map((v, k) => (i > 8 ? Number.NaN : k > 10 ? Number.POSITIVE_INFINITY : v)),
    ),
  };
  expect(svgProblems(drawn({ ...panel, grid: flat }))).toEqual([]);
  expect(drawn({ ...panel, grid: flat })).toContain('the same everywhere: 2');
  expect(svgProblems(drawn({ ...panel, grid: odd }))).toEqual([]);
});
