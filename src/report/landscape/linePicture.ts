import { figureSvg } from '../chart/figure.ts';
import type { Panel, Point } from '../chart/panel.ts';
import { type DrawOptions, errorOf, type Landscape, lossOf } from './landscape.ts';
import { headingOf, lossLabel, valuesAtSolutions } from './words.ts';

/** Training loss and test error along the line through two solutions, as in figure 5 of the paper. */
export function linePicture(landscape: Landscape, options: DrawOptions): string {
  const { points, solutions } = landscape;
  const along = [...points].sort((a, b) => a.at.distance - b.at.distance);
  const series = (of: (point: (typeof points)[number]) => number): Point[] =>
    along.map((point) => [point.at.distance, of(point)]);
  const origin = solutions[1].name;
  const marks = points.flatMap(({ solution, at }) =>
    solution === undefined ? [] : [{ x: at.distance, label: solutions[solution].name }],
  );
  const shared = {
    xLabel: `distance from ${origin}, towards ${solutions[0].name}`,
    height: 230,
    x: 'exact',
    y: 'range',
    marks,
  } as const;
  const panels: Panel[] = [
    {
      ...shared,
      title: 'Training loss',
      yLabel: lossLabel(options),
      series: [
        { label: 'training loss', colour: 0, stroke: 'solid', points: series(lossOf(options)) },
      ],
    },
    {
      ...shared,
      title: 'Test error',
      yLabel: 'wrong predictions, %',
      series: [
        { label: 'test error', colour: 1, stroke: 'solid', points: series(errorOf(landscape)) },
      ],
    },
  ];
  return figureSvg({
    ...headingOf(
      landscape,
      `on the line through ${solutions.map(({ name }) => name).join(' and ')}`,
    ),
    description: valuesAtSolutions(landscape, options).join('. '),
    panels,
  });
}
