import type { LogRow } from '../../train/logRow.ts';
import { counted } from '../../words.ts';
import { type Figure, figureSvg } from '../chart/figure.ts';
import type { Panel, Point, Series } from '../chart/panel.ts';
import { type Colour, type Stroke, strokes } from '../chart/theme.ts';
import { networkTitle, type RunReport } from './runReport.ts';

/** A quantity of the log over epochs; points only where it was measured. */
interface Quantity {
  readonly label: string;
  readonly colour: Colour;
  readonly of: (row: LogRow) => number | undefined;
}

/** In percent, of an accuracy in percent. */
export const errorOf = (accuracy: number | undefined): number | undefined =>
  accuracy === undefined ? undefined : 100 - accuracy;

const losses: readonly Quantity[] = [
  { label: 'training', colour: 0, of: ({ trainLoss }) => trainLoss },
  { label: 'test, SGD', colour: 1, of: ({ testLoss }) => testLoss },
  { label: 'test, SWA', colour: 2, of: ({ swaTestLoss }) => swaTestLoss },
];

/** The training images' first. */
const errors: readonly Quantity[] = [
  { label: 'training', colour: 0, of: ({ trainAccuracy }) => errorOf(trainAccuracy) },
  { label: 'test, SGD', colour: 1, of: ({ testAccuracy }) => errorOf(testAccuracy) },
  { label: 'test, SWA', colour: 2, of: ({ swaTestAccuracy }) => errorOf(swaTestAccuracy) },
];

const rates: readonly Quantity[] = [{ label: 'learning rate', colour: 0, of: ({ lr }) => lr }];

const pointsOf = (rows: readonly LogRow[], { of }: Quantity): Point[] =>
  rows.flatMap((row) => {
    const value = of(row);
    return value === undefined ? [] : [[row.epoch, value] as const];
  });

export interface DrawnRun {
  readonly run: RunReport;
  readonly stroke: Stroke;
}

/** Runs in order, so that the thin dashed lines of the later lie on the wide ones of the first. */
const seriesOf = (runs: readonly DrawnRun[], quantities: readonly Quantity[]): Series[] =>
  runs.flatMap(({ run, stroke }) =>
    quantities.map((quantity) => ({
      label: quantity.label,
      colour: quantity.colour,
      stroke,
      points: pointsOf(run.rows, quantity),
    })),
  );

const xLabel = 'epoch';

const marksOf = ([{ run }]: readonly DrawnRun[]) =>
  run.settings.swa ? [{ x: run.settings.swaStart, label: 'averaging begins' }] : [];

/** Wrong predictions over epochs, of the training images too or of the test images alone. */
export const errorPanel = (runs: readonly DrawnRun[], of: 'all' | 'test' = 'all'): Panel => ({
  title: of === 'all' ? 'Error' : 'Test error',
  xLabel,
  yLabel: 'wrong predictions, %',
  height: 250,
  y: 'range',
  series: seriesOf(runs, of === 'all' ? errors : errors.slice(1)),
  marks: marksOf(runs),
});

function panelsOf(runs: readonly DrawnRun[]): Panel[] {
  const marks = marksOf(runs);
  return [
    {
      title: 'Cross-entropy loss',
      xLabel,
      yLabel: 'loss, nats per image',
      height: 250,
      y: 'range',
      series: seriesOf(runs, losses),
      marks,
    },
    errorPanel(runs),
    {
      title: 'Learning rate',
      xLabel,
      yLabel: 'learning rate',
      height: 110,
      y: 'zero',
      series: seriesOf(runs, rates),
      marks,
    },
  ];
}

function subtitleOf({ settings, dataset, accuracy }: RunReport): string {
  const { epochs, seed } = settings;
  const results = [
    accuracy.sgd && `SGD ${accuracy.sgd.final.toFixed(2)} %`,
    accuracy.swa && `SWA ${accuracy.swa.final.toFixed(2)} %`,
  ].filter((result) => result !== undefined);
  const size = `${dataset.train.images.toLocaleString('en')} training images`;
  return [`${size}, ${counted(epochs, 'epoch')}, seed ${seed}`, ...results].join('; ');
}

export const titleOf = ({ settings }: RunReport): string =>
  `${networkTitle(settings)} on ${settings.dataset} by ${settings.swa ? 'SWA' : 'SGD'}`;

/** The curves of one run. */
export const runCurves = (run: RunReport): string =>
  figureSvg({
    title: titleOf(run),
    subtitle: `${subtitleOf(run)}; ${run.by}`,
    runs: [],
    panels: panelsOf([{ run, stroke: 'solid' }]),
  });

const [, first, ...others] = strokes;

/** How many runs a picture can tell apart. */
export const mostRuns = 1 + others.length;

/**
 * The curves of several runs in one picture: the first with wide solid lines, the others dashed in the
 * same colours, so that a line which follows the first stays visible on it.
 */
export function comparedCurves(runs: readonly RunReport[]): string {
  if (runs.length === 1) return runCurves(runs[0]);
  const drawn = runs.map((run, i) => ({ run, stroke: i === 0 ? first : others[i - 1] }));
  const figure: Figure = {
    title: titleOf(runs[0]),
    subtitle: `${runs[0].dataset.train.images.toLocaleString('en')} training images, seed ${runs[0].settings.seed}; ${runs.map(({ by }) => by).join(' beside ')}`,
    runs: drawn.map(({ run, stroke }) => ({ label: `${run.name}, ${run.by}`, stroke })),
    panels: panelsOf(drawn),
  };
  return figureSvg(figure);
}
