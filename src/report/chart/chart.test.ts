import { describe, expect, test } from 'vitest';
import { svgProblems } from '../../../test/svgProblems.ts';
import { type Figure, figureSvg } from './figure.ts';
import { legend } from './legend.ts';
import type { Panel, Point } from './panel.ts';
import { exactScale, rangeScale, wholeScale, zeroBasedScale } from './scale.ts';
import { textWidth } from './svg.ts';

const labels = ({ ticks }: { ticks: readonly { label: string }[] }): string[] =>
  ticks.map(({ label }) => label);

describe('scales', () => {
  test('from zero: round steps, as many decimals as these need', () => {
    expect(labels(zeroBasedScale([0.05, 0.01], 3))).toEqual(['0.00', '0.02', '0.04', '0.06']);
    expect(labels(zeroBasedScale([2.31], 6))).toEqual(['0.0', '0.5', '1.0', '1.5', '2.0', '2.5']);
  });

  test('an axis is drawn for nothing, zeros and NaN too', () => {
    for (const values of [[], [0], [0, 0], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
      const { scale } = rangeScale(values, 5);
      expect(scale.ticks.length).toBeGreaterThan(1);
      expect(scale.place(0)).toBe(0);
    }
  });

  test('a narrow range fills the axis, a single value stands in its middle', () => {
    expect(labels(rangeScale([1.2, 2.2], 5).scale)).toEqual([
      '1.2',
      '1.4',
      '1.6',
      '1.8',
      '2.0',
      '2.2',
    ]);
    const { scale } = rangeScale([50], 5);
    expect(scale.place(50)).toBeCloseTo(0.5, 9);
  });

  test('a wide range is logarithmic, a zero forbids that', () => {
    const wide = rangeScale([2, 0.05], 5);
    expect(wide.logarithmic).toBe(true);
    expect(labels(wide.scale)).toEqual(['0.05', '0.1', '0.2', '0.5', '1', '2']);
    expect(rangeScale([2, 0], 5).logarithmic).toBe(false);
  });

  test('epochs: whole numbers only, the first among them', () => {
    expect(labels(wholeScale([1, 2], 10))).toEqual(['1', '2']);
    expect(labels(wholeScale([1], 10))).toEqual(['1']);
    expect(labels(wholeScale([1, 200], 5))).toEqual(['1', '50', '100', '150', '200']);
  });

  test('distances: from the first to the last, round ticks in between', () => {
    const scale = exactScale([-0.43, 1.31], 6);
    expect(labels(scale)).toEqual(['0.0', '0.5', '1.0']);
    expect([scale.place(-0.43), scale.place(1.31)]).toEqual([0, 1]);
    expect(labels(exactScale([3], 4))).toContain('3.0');
  });

  test('every tick lies on its axis', () => {
    for (const values of [[1, 200], [3.7], [0.001, 90], [1.1, 1.2], [0.5, 3]]) {
      for (const scale of [wholeScale([1, 200], 7), rangeScale(values, 6).scale]) {
        for (const { value } of scale.ticks) {
          expect(scale.place(value)).toBeGreaterThanOrEqual(-1e-9);
          expect(scale.place(value)).toBeLessThanOrEqual(1 + 1e-9);
        }
      }
    }
  });
});

test('a legend that is too long for a row goes on in the next, and nothing overlaps', () => {
  const entries = Array.from({ length: 9 }, (_, i) => ({
    label: `entry number ${i} & more`,
    stroke: 'solid' as const,
  }));
  const { svg, height } = legend(entries, { x: 10, y: 20, width: 400 });
  const texts = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"/g)].map(([, x, y]) => [+x, +y]);
  expect(texts).toHaveLength(9);
  const width = textWidth('entry number 0 & more', 12);
  for (const [i, [x, y]] of texts.entries()) {
    expect(x + width).toBeLessThanOrEqual(410);
    const next = texts[i + 1];
    if (next !== undefined && next[1] === y) expect(next[0]).toBeGreaterThan(x + width);
  }
  expect(height).toBeGreaterThan(texts[8][1] - 20);
});

const panel = (points: readonly Point[], y: Panel['y'] = 'range'): Panel => ({
  title: 'Loss <of> "it" & more',
  xLabel: 'epoch',
  yLabel: 'loss',
  height: 100,
  y,
  series: [{ label: 'training', colour: 0, stroke: 'solid', points }],
  marks: [{ x: 2, label: 'averaging begins' }],
});

const figure = (panels: readonly Panel[]): Figure => ({
  title: 'A title & <more> \u0000',
  subtitle: '"so"',
  runs: [{ label: 'ours', stroke: 'wide' }],
  panels,
});

describe('figures are well-formed and hold no NaN', () => {
  test.each<[string, readonly Point[], lines: number, dots: number]>([
    ['no point', [], 0, 0],
    ['one point', [[1, 2.3]], 0, 1],
    ['one point of zero', [[1, 0]], 0, 1],
    [
      'two points',
      [
        [1, 2.3],
        [2, 2],
      ],
      1,
      2,
    ],
    [
      'equal points',
      [
        [1, 5],
        [2, 5],
      ],
      1,
      2,
    ],
    [
      'NaN',
      [
        [1, Number.NaN],
        [2, 1],
        [3, Number.POSITIVE_INFINITY],
        [4, 2],
      ],
      1,
      2,
    ],
    ['nothing but NaN', [[1, Number.NaN]], 0, 0],
    ['many points', Array.from({ length: 300 }, (_, i) => [i + 1, 3 / (i + 1)] as const), 1, 0],
  ])('%s', (_, points, lines, dots) => {
    for (const y of ['zero', 'range'] as const) {
      const svg = figureSvg(figure([panel(points, y)]));
      expect(svgProblems(svg)).toEqual([]);
      expect(svg.match(/<path class="line /g) ?? []).toHaveLength(lines);
      expect(svg.match(/<circle/g) ?? []).toHaveLength(dots);
      expect(svg.includes('nothing was measured')).toBe(points.length === 0 || dots + lines === 0);
    }
  });

  test('without panels', () => {
    expect(svgProblems(figureSvg(figure([])))).toEqual([]);
  });
});

test('the check of well-formedness finds what is wrong', () => {
  const good = figureSvg(figure([panel([[1, 1]])]));
  expect(svgProblems(good.replace('</svg>', ''))).not.toEqual([]);
  expect(svgProblems(good.replace('<title>', '<title>a & b'))).not.toEqual([]);
  expect(svgProblems(good.replace('cx="', 'cx="NaN'))).not.toEqual([]);
  expect(svgProblems(good.replace('</style>', '</script>'))).not.toEqual([]);
});

test('both colour schemes are in the file, and nothing is fetched', () => {
  const svg = figureSvg(figure([panel([[1, 1]])]));
  expect(svg).toContain('@media (prefers-color-scheme:dark)');
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import|href/);
});
