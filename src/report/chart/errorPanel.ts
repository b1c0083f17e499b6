import { coordinate, element, escapeXml } from '../xml.ts';
import { axes, left, type Plot, right } from './axes.ts';
import { logScale, type Scale, wholeScale } from './scale.ts';
import { text, textWidth } from './svg.ts';

/** What is marked at a point, in the order of how bad it is. */
export type PointMark = 'flipped' | 'inherits' | 'diverges';

/** One tensor: its errors, none of which need be known. Zero and NaN have their own places. */
export interface ErrorPoint {
  /** What stands below the axis. */
  readonly name: string;
  readonly ours?: number;
  readonly pytorch?: number;
  /** What the layer adds by itself. */
  readonly added?: number;
  readonly limit?: number;
  readonly mark?: PointMark;
  /** All of it in words, shown where a pointer rests. */
  readonly words: string;
}

/** Errors of tensors in execution order. */
export interface ErrorPanel {
  readonly title: string;
  readonly points: readonly ErrorPoint[];
  /** Index of the point where things first went wrong. */
  readonly first?: number;
}

/** The lines of a panel, from the back to the front; `colour` as in the theme. */
export const errorLines = [
  { of: 'pytorch', stroke: 'wide', colour: 1 },
  { of: 'added', stroke: 'dotted', colour: 2 },
  { of: 'ours', stroke: 'solid', colour: 0 },
] as const;

const plotHeight = 210;
const fontSize = 12;
/** Names closer than this would touch. */
const pixelsPerName = 15;
const longestName = 26;
/** Beyond so many points dots run together. */
const mostDots = 90;

const shortened = (name: string): string =>
  name.length <= longestName ? name : `${name.slice(0, 11)}…${name.slice(12 - longestName)}`;

const valuesOf = ({ ours, pytorch, added, limit }: ErrorPoint): number[] =>
  [ours, pytorch, added, limit].filter((value) => value !== undefined);

/** No error of interest is smaller or larger, and all arithmetic on these is finite. */
const [least, most] = [1e-60, 1e60];

/**
 * One logarithmic scale for all panels, so that heights compare. Zero, which no logarithm has, lies on the
 * axis below a power of ten of room; what is infinite or no number, on the upper edge.
 */
export function errorScale(panels: readonly ErrorPanel[]): Scale {
  const values = panels.flatMap(({ points }) => points.flatMap(valuesOf));
  const shown = values.filter((value) => value >= least && value <= most);
  const high = shown.reduce((a, b) => Math.max(a, b), 1e-6);
  const low = shown.reduce((a, b) => Math.min(a, b), high / 10);
  const hasZero = values.some((value) => value < least);
  const scale = logScale(hasZero ? low / 10 : low / 2, high * 3);
  const ticks = scale.ticks
    .filter(({ value }) => !hasZero || value >= low / 2)
    .map(({ value, label }) => ({
      value,
      label: value < 0.1 ? value.toExponential(0) : label,
    }));
  return {
    place: (value) => {
      if (value < least) return 0;
      return value <= most ? scale.place(value) : 1;
    },
    ticks: hasZero ? [{ value: 0, label: '0' }, ...ticks] : ticks,
  };
}

type Line = (typeof errorLines)[number];

/** Runs of neighbours that have the value: a line never crosses what was not measured. */
function runsOf(points: readonly ErrorPoint[], of: Line['of']): (readonly [number, number])[][] {
  const runs: (readonly [number, number])[][] = [[]];
  for (const [i, point] of points.entries()) {
    const value = point[of];
    if (value === undefined) runs.push([]);
    else runs[runs.length - 1].push([i, value]);
  }
  return runs.filter((run) => run.length > 0);
}

function drawLine(
  points: readonly ErrorPoint[],
  { of, stroke, colour }: Line,
  plot: Plot,
): string[] {
  const dots = points.length <= mostDots && stroke !== 'wide';
  return runsOf(points, of).flatMap((run) => {
    const places = run.map(([i, v]) => `${coordinate(plot.x(i))} ${coordinate(plot.y(v))}`);
    const alone = run.length === 1;
    return [
      ...(alone
        ? []
        : [element('path', { class: `line ${stroke} c${colour}`, d: `M${places.join('L')}` })]),
      ...(dots || alone
        ? run.map(([i, v]) =>
            element('circle', { class: `d${colour}`, cx: plot.x(i), cy: plot.y(v), r: 2.2 }),
          )
        : []),
    ];
  });
}

/** A step as wide as each point's share of the axis. */
function drawLimits(points: readonly ErrorPoint[], plot: Plot): string {
  const steps = points.flatMap(({ limit }, i) => {
    if (limit === undefined) return [];
    const [from, to] = [Math.max(left, plot.x(i - 0.5)), Math.min(plot.end, plot.x(i + 0.5))];
    const join =
      points[i - 1]?.limit === limit ? 'H' : `M${coordinate(from)} ${coordinate(plot.y(limit))}H`;
    return [`${join}${coordinate(to)}`];
  });
  return steps.length === 0 ? '' : element('path', { class: 'line limit', d: steps.join('') });
}

/** Shapes, so that no mark is told by its colour alone. */
const markShapes: { readonly [M in PointMark]: (x: number, y: number) => string } = {
  diverges: (x, y) =>
    element('path', {
      class: 'wrong',
      d: `M${coordinate(x - 5)} ${coordinate(y - 5)}l10 10m0 -10l-10 10`,
    }),
  inherits: (x, y) => element('circle', { class: 'wrong', cx: x, cy: y, r: 5 }),
  flipped: (x, y) =>
    element('rect', { class: 'flipped', x: x - 4.5, y: y - 4.5, width: 9, height: 9 }),
};

/** One mark as it stands in the panels, for a legend. */
export const markShape = (mark: PointMark, x: number, y: number): string => markShapes[mark](x, y);

function drawMarks(points: readonly ErrorPoint[], plot: Plot): string[] {
  return points.flatMap(({ mark, ours }, i) =>
    mark === undefined ? [] : [markShapes[mark](plot.x(i), plot.y(ours ?? Number.NaN))],
  );
}

function drawFirst({ first, points }: ErrorPanel, plot: Plot): string[] {
  if (first === undefined) return [];
  const x = plot.x(first);
  const label = `first to diverge: ${points[first].name}`;
  const fits = x + 6 + textWidth(label, fontSize) <= plot.end;
  return [
    element('path', {
      class: 'wrong first',
      d: `M${coordinate(x)} ${plot.top - 16}V${plot.bottom}`,
    }),
    text(x + (fits ? 6 : -6), plot.top - 6, label, {
      class: 'wrongText',
      'text-anchor': fits ? 'start' : 'end',
    }),
  ];
}

/** Invisible, and as wide as a point's share of the axis: what a pointer finds there, it reads. */
const drawWords = (points: readonly ErrorPoint[], plot: Plot): string[] =>
  points.map(({ words }, i) =>
    element(
      'rect',
      {
        class: 'hit',
        x: plot.x(i - 0.5),
        y: plot.top,
        width: plot.x(i + 0.5) - plot.x(i - 0.5),
        height: plot.bottom - plot.top,
      },
      element('title', {}, escapeXml(words)),
    ),
  );

/** As many names as find room, at even distances. */
function nameScale(points: readonly ErrorPoint[], width: number): Scale {
  const every = Math.max(1, Math.ceil((points.length * pixelsPerName) / width));
  const half = wholeScale([-0.5, Math.max(0, points.length - 1) + 0.5], 2);
  return {
    place: half.place,
    ticks: points.flatMap(({ name }, value) =>
      value % every === 0 ? [{ value, label: shortened(name) }] : [],
    ),
  };
}

/** Draws a panel from `top` downwards, over the whole `width`; gives back where it ends. */
export function drawErrorPanel(
  panel: ErrorPanel,
  ys: Scale,
  { top, width }: { readonly top: number; readonly width: number },
): { readonly svg: string; readonly bottom: number } {
  const { points } = panel;
  const end = width - right;
  const xs = nameScale(points, end - left);
  const plotTop = top + 42;
  const plot: Plot = {
    x: (value) => left + xs.place(value) * (end - left),
    y: (value) => plotTop + (1 - ys.place(value)) * plotHeight,
    top: plotTop,
    bottom: plotTop + plotHeight,
    end,
  };
  const longest = xs.ticks.reduce((most, { label }) => Math.max(most, label.length), 0);
  const xRoom = 28 + 0.77 * textWidth('x'.repeat(longest), fontSize);
  return {
    svg: [
      text(left, top + 12, panel.title, { class: 'head' }),
      ...axes(
        plot,
        { scale: xs, label: 'in execution order' },
        { scale: ys, label: 'relative error to float64' },
        { leaning: true, xRoom },
      ),
      drawLimits(points, plot),
      ...errorLines.flatMap((line) => drawLine(points, line, plot)),
      ...drawMarks(points, plot),
      ...drawFirst(panel, plot),
      ...drawWords(points, plot),
    ].join('\n'),
    bottom: plot.bottom + xRoom + 10,
  };
}
