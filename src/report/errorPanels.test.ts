import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { svgProblems } from '../../test/svgProblems.ts';
import { check } from '../align/judge/verdict.ts';
import { errorFigure } from './chart/errorFigure.ts';
import { type ErrorPanel, errorScale } from './chart/errorPanel.ts';
import { errorPanels } from './errorPanels.ts';
import { anyReport } from './testdata/anyReport.ts';
import {
  divergingTrace,
  failingReport,
  layers,
  passingReport,
  passingTrace,
  report,
  result,
} from './testdata/sampleReports.ts';

const draw = (panels: readonly ErrorPanel[]): string =>
  errorFigure(panels, { id: 'f', title: 'A title', description: 'What it shows' });

describe('what is drawn', () => {
  test('without a trace: outputs in the order of the layers, gradients in that of the backward pass', () => {
    const panels = errorPanels(passingReport);
    expect(panels.map(({ title }) => title)).toEqual([
      'Outputs, forward',
      'Gradients of weights, backward, step 1',
      'Gradients of weights, backward, step 2',
    ]);
    expect(panels[0].points.map(({ name }) => name)).toEqual(layers);
    // Four times PyTorch's own error, which lies above one rounding.
    expect(panels[0].points[0].ours).toBeCloseTo(9e-8, 12);
    expect(panels[0].points[0].limit).toBeCloseTo(4 * 8.1e-8, 12);
    expect(panels[0].first).toBeUndefined();
    expect(panels[1].points[0].name).toBe('classifier.6.bias');
    expect(panels[1].points.at(-1)?.name).toBe('features.0.weight');
  });

  test('the limit is that of the check which fails first', () => {
    const limited = (ours: number, ratio: number): number | undefined => {
      const checks = [check('relative l2', ours, 5e-6), check('ratio', ratio, 4)];
      return errorPanels(report([result('forward', [{ name: 'features.0', checks }])]))[0].points[0]
        .limit;
    };
    expect(limited(2e-7, 2)).toBeCloseTo(4e-7, 12);
    expect(limited(4e-6, 2)).toBe(5e-6);
    expect(limited(0, 0)).toBe(5e-6);
  });

  test('what failed is marked, the first of it by name', () => {
    const [outputs] = errorPanels(failingReport);
    expect(outputs.first).toBe(20);
    expect(outputs.points.filter(({ mark }) => mark === 'diverges')).toHaveLength(18);
    expect(draw([outputs])).toContain('first to diverge: features.20</text>');
  });

  test('a trace: its three kinds of tensors, added beside whole error, the first divergence once', () => {
    const panels = errorPanels(report([], divergingTrace));
    expect(panels.map(({ first }) => first)).toEqual([undefined, 22, undefined]);
    expect(panels[1].points[22]).toMatchObject({ name: 'features.15', added: 0.019 });
    expect(panels[1].points[22].ours).toBeCloseTo(0.02, 9);
    expect(panels[1].points[23]).toMatchObject({ mark: 'inherits', added: 6e-8 });
    expect(panels[0].points[5].mark).toBe('flipped');
    const svg = draw(panels);
    expect(svg.match(/first to diverge/g)).toHaveLength(1);
    for (const words of ['inherits the error', 'a decision flipped', 'largest that passes']) {
      expect(svg).toContain(words);
    }
    expect(draw(errorPanels(report([], passingTrace)))).not.toContain('diverge');
  });
});

describe('the scale', () => {
  const panel = (values: readonly number[]): ErrorPanel => ({
    title: 't',
    points: values.map((ours) => ({ name: 'n', ours, words: 'w' })),
  });

  test('is one for all panels, zero at its foot and NaN at its top', () => {
    const { place, ticks } = errorScale([panel([1e-7, 0]), panel([1e-2, Number.NaN])]);
    expect(ticks[0]).toEqual({ value: 0, label: '0' });
    expect(place(0)).toBe(0);
    expect(place(Number.NaN)).toBe(1);
    expect(place(1e-7)).toBeGreaterThan(0.1);
    expect(place(1e-3) - place(1e-4)).toBeCloseTo(place(1e-5) - place(1e-6), 9);
  });

  test('names few enough powers of ten to read', () => {
    const { ticks } = errorScale([panel([1e-300, 1e300])]);
    expect(ticks.length).toBeGreaterThan(3);
    expect(ticks.length).toBeLessThan(12);
  });

  test('stands without a number', () => {
    for (const values of [[], [0], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
      const { place, ticks } = errorScale([panel(values)]);
      expect(ticks.length).toBeGreaterThan(0);
      expect(values.every((v) => place(v) >= 0 && place(v) <= 1)).toBe(true);
    }
  });
});

test('a line does not cross what was not measured, a point alone is a dot', () => {
  const points = [1e-7, 2e-7, undefined, 3e-7].map((ours, i) => ({
    name: `l${i}`,
    words: `l${i}`,
    ...(ours === undefined ? {} : { ours }),
  }));
  const svg = draw([{ title: 't', points }]);
  expect(svg.match(/<path class="line solid c0" d="M[^"]*"/g)).toHaveLength(1);
  expect(svg.match(/<circle class="d0"/g)).toHaveLength(3);
});

test('whatever the run, the picture is well-formed and its coordinates are numbers', () => {
  fc.assert(
    fc.property(anyReport, (made) => {
      const panels = errorPanels(made);
      expect(svgProblems(draw(panels))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('hundreds of layers keep their names apart', () => {
  const points = Array.from({ length: 700 }, (_, i) => ({
    name: `layer3.${i}.conv1.and.a.very.long.name.indeed`,
    ours: 1e-7,
    words: String(i),
  }));
  const svg = draw([{ title: 't', points }]);
  const places = [...svg.matchAll(/translate\(([\d.]+) [\d.]+\) rotate\(-50\)/g)].map(
    ([, x]) => +x,
  );
  expect(places.length).toBeGreaterThan(20);
  for (const [i, x] of places.entries()) {
    if (i > 0) expect(x - places[i - 1]).toBeGreaterThan(14);
  }
  expect(svg).toContain('layer3.0.co…');
});
