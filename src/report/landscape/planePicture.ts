import type { SurveyedPoint } from '../../landscape/survey.ts';
import { shortNumber } from '../../shortNumber.ts';
import { drawnMost } from '../chart/contourLevels.ts';
import { type ContourPanel, drawContourPanel } from '../chart/contourPanel.ts';
import type { Grid } from '../chart/contours.ts';
import { type DrawPanel, pictureSvg } from '../chart/figure.ts';
import { type DrawOptions, errorOf, type Landscape, lossOf } from './landscape.ts';
import { headingOf, listed, lossLabel, valuesAtSolutions } from './words.ts';

type Quantity = (point: SurveyedPoint) => number;

/** Steps between contour lines, and the logarithm of the first, as in the authors' pictures. */
const steps = 7;
const firstLog = { loss: -5, error: -2 } as const;

const ascending = (values: readonly number[]): number[] =>
  [...new Set(values)].sort((a, b) => a - b);

/** The points that are no solutions, which come row by row. */
function gridOf({ points }: Landscape, of: Quantity): Grid {
  const free = points.filter(({ solution }) => solution === undefined);
  const xs = ascending(free.map(({ at }) => at.x));
  const ys = ascending(free.map(({ at }) => at.y));
  return { xs, ys, values: ys.map((_, row) => xs.map((_, k) => of(free[row * xs.length + k]))) };
}

const clipNote = (clip: number, values: readonly number[], unit: string): string[] =>
  drawnMost(values, clip) === clip && values.some((value) => !(value <= clip))
    ? [`what is above ${shortNumber(clip)}${unit} is drawn as that`]
    : [];

/** Training loss and test error on the plane through three solutions, as in figures 1 and 3 of the paper. */
export function planePicture(landscape: Landscape, options: DrawOptions): string {
  const { points, solutions, classes } = landscape;
  const spots = points.flatMap(({ solution, at: { x, y } }) =>
    solution === undefined ? [] : [{ x, y, name: solutions[solution].name }],
  );
  const panel = (
    title: string,
    of: Quantity,
    rest: Pick<ContourPanel, 'colour'> & {
      readonly clip: number;
      readonly firstLog: number;
      readonly unit: string;
      readonly at: (value: number) => string;
    },
  ): DrawPanel => {
    const grid = gridOf(landscape, of);
    const { clip, unit, colour } = rest;
    const atSpots = points
      .filter(({ solution }) => solution !== undefined)
      .map((point) => `${rest.at(of(point))} at ${solutions[point.solution!].name}`);
    const drawn: ContourPanel = {
      title,
      xLabel: 'distance in weight space',
      yLabel: 'distance',
      grid,
      levels: { count: steps, clip, firstLog: rest.firstLog },
      colour,
      spots,
      notes: [atSpots.join(', '), ...clipNote(clip, grid.values.flat(), unit)],
    };
    return (top, width) => drawContourPanel(drawn, top, width);
  };
  const guessing = { loss: Math.log(classes), error: 100 * (1 - 1 / classes) };
  return pictureSvg(
    {
      ...headingOf(landscape, `on the plane of ${listed(solutions.map(({ name }) => name))}`),
      description: valuesAtSolutions(landscape, options).join('. '),
    },
    [
      panel(`Training loss: ${lossLabel(options)}`, lossOf(options), {
        clip: options.clipLoss ?? guessing.loss,
        firstLog: firstLog.loss,
        colour: 0,
        unit: '',
        at: shortNumber,
      }),
      panel('Test error: wrong predictions, %', errorOf(landscape), {
        clip: options.clipError ?? guessing.error,
        firstLog: firstLog.error,
        colour: 1,
        unit: ' %',
        at: (value) => `${value.toFixed(2)} %`,
      }),
    ],
  );
}
