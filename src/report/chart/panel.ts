import { coordinate, element } from '../xml.ts';
import { axes, left, type Plot, right } from './axes.ts';
import { type LegendEntry, legend } from './legend.ts';
import { exactScale, rangeScale, wholeScale, zeroBasedScale } from './scale.ts';
import { text, textWidth } from './svg.ts';
import type { Colour, Stroke } from './theme.ts';

export type Point = readonly [x: number, y: number];

/** One line; points that hold no finite number are left out. */
export interface Series {
  readonly label: string;
  readonly colour: Colour;
  readonly stroke: Stroke;
  readonly points: readonly Point[];
  /** Whether single points are shown; else where there are few. */
  readonly dots?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Of the plot itself. */
  readonly height: number;
  /** `range` is logarithmic where the numbers span a wide range. */
  readonly y: 'zero' | 'range';
  /** Whole numbers, such as epochs, unless it is said. */
  readonly x?: 'whole' | 'exact';
  readonly series: readonly Series[];
  /** Upright lines with a word. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
}

const fontSize = 12;
const pixelsPerTick = { x: 60, y: 42 };
/** Beyond so many points dots run together. */
const mostDots = 60;

const drawable = (points: readonly Point[]): Point[] =>
  points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));

function mark(x: number, label: string, { top, bottom, end }: Plot): string[] {
  const fits = x + 5 + textWidth(label, fontSize) <= end;
  return [
    element('path', { class: 'axis mark', d: `M${coordinate(x)} ${top - 14}V${bottom}` }),
    text(x + (fits ? 5 : -5), top - 5, label, {
      class: 'faint',
      'text-anchor': fits ? 'start' : 'end',
    }),
  ];
}

function line({ colour, stroke, points, dots: shown }: Series, plot: Plot): string[] {
  const places = points.map(([x, y]) => `${coordinate(plot.x(x))} ${coordinate(plot.y(y))}`);
  // A wide line carries others on it, whose dots would be lost among its own; but a point alone has no line.
  const dots = points.length === 1 || (shown ?? (points.length <= mostDots && stroke !== 'wide'));
  return [
    ...(points.length > 1
      ? [element('path', { class: `line ${stroke} c${colour}`, d: `M${places.join('L')}` })]
      : []),
    ...(dots
      ? points.map(([x, y]) =>
          element('circle', { class: `d${colour}`, cx: plot.x(x), cy: plot.y(y), r: 2.4 }),
        )
      : []),
  ];
}

const xScales = { whole: wholeScale, exact: exactScale } as const;

/** One entry a label: the runs that share it are told apart by the figure's own legend. */
const entriesOf = (series: readonly Series[]): LegendEntry[] => {
  const byLabel = new Map<string, LegendEntry>();
  for (const { label, colour, stroke } of series) {
    if (!byLabel.has(label)) byLabel.set(label, { label, colour, stroke });
  }
  // A single quantity is what the axis says it is.
  return byLabel.size === 1 ? [] : [...byLabel.values()];
};

/** Draws a panel from `top` downwards, over the whole `width`; gives back where it ends. */
export function drawPanel(
  panel: Panel,
  top: number,
  width: number,
): { readonly svg: string; readonly bottom: number } {
  const series = panel.series
    .map((s) => ({ ...s, points: drawable(s.points) }))
    .filter(({ points }) => points.length > 0);
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const end = width - right;
  const wantedY = panel.height / pixelsPerTick.y;
  const { scale: ys, logarithmic } =
    panel.y === 'zero'
      ? { scale: zeroBasedScale(values, wantedY), logarithmic: false }
      : rangeScale(values, wantedY);
  const xs = xScales[panel.x ?? 'whole'](
    series.flatMap(({ points }) => points.map(([x]) => x)),
    (end - left) / pixelsPerTick.x,
  );
  const keys = legend(entriesOf(series), { x: left, y: top + 28, width: end - left });
  const plotTop = top + 24 + keys.height + 18;
  const plot: Plot = {
    x: (value) => left + xs.place(value) * (end - left),
    y: (value) => plotTop + (1 - ys.place(value)) * panel.height,
    top: plotTop,
    bottom: plotTop + panel.height,
    end,
  };
  const inside = (panel.marks ?? []).filter(({ x }) => xs.place(x) >= 0 && xs.place(x) <= 1);
  const yLabel = logarithmic ? `${panel.yLabel}, log scale` : panel.yLabel;
  const empty = text((left + end) / 2, plotTop + panel.height / 2, 'nothing was measured', {
    class: 'faint',
    'text-anchor': 'middle',
  });
  return {
    svg: [
      text(left, top + 12, panel.title, { class: 'head' }),
      keys.svg,
      ...axes(plot, { scale: xs, label: panel.xLabel }, { scale: ys, label: yLabel }),
      ...inside.flatMap(({ x, label }) => mark(plot.x(x), label, plot)),
      ...(series.length === 0 ? [empty] : series.flatMap((s) => line(s, plot))),
    ].join('\n'),
    bottom: plot.bottom + 44,
  };
}
