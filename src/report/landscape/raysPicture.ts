import type { SurveyedPoint } from '../../landscape/survey.ts';
import { shortNumber } from '../../shortNumber.ts';
import { figureSvg } from '../chart/figure.ts';
import type { Panel, Series } from '../chart/panel.ts';
import type { Colour, Stroke } from '../chart/theme.ts';
import { type DrawOptions, errorOf, type Landscape, lossOf } from './landscape.ts';
import { medianDistance, type Ray, riseDistance } from './widths.ts';
import { headingOf, listed, lossLabel } from './words.ts';

/** How the solutions are told apart, by more than their colours. */
const looks: readonly { readonly colour: Colour; readonly stroke: Stroke }[] = [
  { colour: 1, stroke: 'dashed' },
  { colour: 2, stroke: 'solid' },
  { colour: 0, stroke: 'dotted' },
];

/** How many solutions one picture tells apart. */
export const mostRaySolutions = looks.length;

/** Every ray with what was measured at its beginning. */
export function raysOf({ points, solutions }: Landscape, of: (p: SurveyedPoint) => number): Ray[] {
  const numbers = [...new Set(points.map(({ at }) => at.ray))].filter((ray) => ray > 0);
  return numbers.flatMap((ray) =>
    solutions.map((_, from) => ({
      from,
      ray,
      points: points
        .filter(({ at }) => at.from === from + 1 && (at.ray === 0 || at.ray === ray))
        .map((point) => [point.at.distance, of(point)] as const),
    })),
  );
}

/** The distance at which the training loss has risen by a factor, for one solution. */
export interface Width {
  readonly point: string;
  readonly factor: number;
  /** By ray; null where the loss is lower than that all along. */
  readonly distances: readonly (number | null)[];
  /** Null where half of the rays or more are not that long. */
  readonly median: number | null;
}

export function widthsOf(landscape: Landscape, factor: number): Width[] {
  const rays = raysOf(landscape, ({ measured }) => measured.trainLoss);
  return landscape.solutions.map(({ name }, from) => {
    const distances = rays
      .filter((ray) => ray.from === from)
      .map((ray) => riseDistance(ray, factor) ?? null);
    const median = medianDistance(distances.map((d) => d ?? undefined)) ?? null;
    return { point: name, factor, distances, median };
  });
}

/** `SWA: the training loss is 2 times as high at a distance of 12.3 (median of 10 rays, 11.2 to 13.9)` */
export function widthLine({ point, factor, distances, median }: Width, reach: number): string {
  const found = distances.filter((distance) => distance !== null);
  const missing = distances.length - found.length;
  const where =
    median === null ? `beyond ${shortNumber(reach)}` : `at a distance of ${shortNumber(median)}`;
  const rays = distances.length === 1 ? 'one ray' : `the median of ${distances.length} rays`;
  const range =
    found.length > 1
      ? `, ${shortNumber(Math.min(...found))} to ${shortNumber(Math.max(...found))}`
      : '';
  const rest = missing === 0 ? '' : `, ${missing} beyond ${shortNumber(reach)}`;
  return `${point}: the training loss is ${factor} times as high ${where} (${rays}${range}${rest})`;
}

/** Training loss and test error along random rays, as in figure 4 of the paper. */
export function raysPicture(
  landscape: Landscape,
  options: DrawOptions,
  widths: readonly Width[],
  reach: number,
): string {
  const { solutions } = landscape;
  const series = (of: (p: SurveyedPoint) => number): Series[] =>
    raysOf(landscape, of).map(({ from, points }) => ({
      label: solutions[from].name,
      ...looks[from],
      dots: false,
      points,
    }));
  const shared = { xLabel: 'distance', height: 250, x: 'exact', y: 'range' } as const;
  const panels: Panel[] = [
    {
      ...shared,
      title: 'Training loss',
      yLabel: lossLabel(options),
      series: series(lossOf(options)),
    },
    {
      ...shared,
      title: 'Test error',
      yLabel: 'wrong predictions, %',
      series: series(errorOf(landscape)),
    },
  ];
  return figureSvg({
    ...headingOf(landscape, `along random rays from ${listed(solutions.map(({ name }) => name))}`),
    description: widths.map((width) => widthLine(width, reach)).join('. '),
    panels,
  });
}
