import { shortNumber } from '../../shortNumber.ts';
import { coordinate, element } from '../xml.ts';
import { axes, left, type Plot, right } from './axes.ts';
import {
  clipped,
  contourLevels,
  drawnMost,
  type LevelOptions,
  levelLabels,
} from './contourLevels.ts';
import { contourLines, type Grid, type Place, regionBorders } from './contours.ts';
import { type Box, freest, isFree, labelBox } from './labelPlaces.ts';
import { exactScale } from './scale.ts';
import { text, textWidth } from './svg.ts';
import type { Colour } from './theme.ts';

/** A function on a plane by its contour lines. Both axes have one unit, so that distances are what they look like. */
export interface ContourPanel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly grid: Grid;
  readonly levels: LevelOptions;
  readonly colour: Colour;
  /** Points with a name and the value there. */
  readonly spots: readonly { readonly x: number; readonly y: number; readonly name: string }[];
  /** Lines of words below. */
  readonly notes: readonly string[];
}

const mostHeight = 520;
const noteRow = 16;
const pixelsPerTick = { x: 60, y: 42 };
const spotRadius = 4.5;

/** The largest plot of the right proportions. */
function placed({ grid: { xs, ys } }: ContourPanel, top: number, width: number): Plot {
  const [x0, x1] = [xs[0], xs[xs.length - 1]];
  const [y0, y1] = [ys[0], ys[ys.length - 1]];
  const most = width - right - left;
  const pixels = Math.min(most / (x1 - x0), mostHeight / (y1 - y0));
  const [wide, high] = [(x1 - x0) * pixels, (y1 - y0) * pixels];
  return {
    x: (value) => left + ((value - x0) / (x1 - x0)) * wide,
    y: (value) => top + (1 - (value - y0) / (y1 - y0)) * high,
    top,
    bottom: top + high,
    end: left + wide,
  };
}

/** Places no nearer than a quarter of a pixel to the one before: nobody sees more. */
function path(places: readonly Place[], plot: Plot): string {
  let last: readonly [number, number] | undefined;
  const points = places.flatMap(([x, y], i) => {
    const at = [plot.x(x), plot.y(y)] as const;
    const near = last !== undefined && Math.hypot(at[0] - last[0], at[1] - last[1]) < 0.25;
    if (near && i < places.length - 1) return [];
    last = at;
    return [`${Number(at[0].toFixed(1))} ${Number(at[1].toFixed(1))}`];
  });
  return `M${points.join('L')}`;
}

/** Where a spot's name may stand, the best first. */
const besideSpot = (x: number, y: number, words: string): Place[] => {
  const away = textWidth(words, 12) / 2 + spotRadius + 5;
  return [
    [x + away, y],
    [x - away, y],
    [x, y - 16],
    [x, y + 16],
    [x + away, y - 14],
    [x - away, y - 14],
    [x + away, y + 14],
    [x - away, y + 14],
  ];
};

const halo = (x: number, y: number, words: string): string =>
  text(x, y + 4, words, { class: 'halo', 'text-anchor': 'middle' });

/** Draws the panel from `top` downwards; gives back where it ends. */
export function drawContourPanel(
  panel: ContourPanel,
  top: number,
  width: number,
): { readonly svg: string; readonly bottom: number } {
  const { grid, levels: options, colour, spots, notes } = panel;
  const plot = placed(panel, top + 28, width);
  const values = grid.values.flat();
  const most = drawnMost(values, options.clip);
  const shown: Grid = {
    ...grid,
    values: grid.values.map((row) => row.map((value) => clipped(value, most))),
  };
  const levels = contourLevels(values, options);
  const named = levelLabels(levels);
  const within: Box = {
    left: left + 2,
    right: plot.end - 2,
    top: plot.top + 2,
    bottom: plot.bottom - 2,
  };
  const taken: Box[] = spots.map(({ x, y }) => labelBox('', plot.x(x), plot.y(y)));
  const names = spots.map(({ x, y, name }, i) => {
    const others = taken.filter((_, k) => k !== i);
    const places = besideSpot(plot.x(x), plot.y(y), name);
    const [nameX, nameY] =
      places.find(([a, b]) => isFree(labelBox(name, a, b), within, others)) ?? places[0];
    taken.push(labelBox(name, nameX, nameY));
    return halo(nameX, nameY, name);
  });
  const lines = levels.map((level) => contourLines(shown, level));
  const labels = lines.flatMap((ofLevel, k) => {
    const words = named[k];
    const longest = [...ofLevel].sort((a, b) => b.places.length - a.places.length);
    for (const { places } of longest) {
      const found = freest(
        words,
        places.map(([x, y]) => [plot.x(x), plot.y(y)]),
        within,
        taken,
      );
      if (found === undefined) continue;
      taken.push(found.box);
      return [halo(found.x, found.y, words)];
    }
    return [];
  });
  const [xs, ys] = [grid.xs, grid.ys].map((axis, i) => {
    const pixels = i === 0 ? plot.end - left : plot.bottom - plot.top;
    const perTick = i === 0 ? pixelsPerTick.x : pixelsPerTick.y;
    return exactScale([axis[0], axis[axis.length - 1]], Math.max(1, pixels / perTick));
  });
  const written = [
    levels.length === 0
      ? `the same everywhere: ${shortNumber(values[0])}`
      : `lines at ${named.join(', ')}`,
    ...notes,
  ];
  const notesFrom = plot.bottom + 56;
  return {
    svg: [
      text(left, top + 12, panel.title, { class: 'head' }),
      ...levels.map((level) =>
        element('path', {
          class: `band d${colour}`,
          'fill-rule': 'evenodd',
          d: regionBorders(shown, level)
            .map((places) => path(places, plot))
            .join(''),
        }),
      ),
      ...lines.map((ofLevel) =>
        element('path', {
          class: `contour c${colour}`,
          d: ofLevel.map(({ places }) => path(places, plot)).join(''),
        }),
      ),
      ...axes(plot, { scale: xs, label: panel.xLabel }, { scale: ys, label: panel.yLabel }),
      ...labels,
      ...spots.map(({ x, y }) =>
        element('circle', { class: 'spot', cx: plot.x(x), cy: plot.y(y), r: spotRadius }),
      ),
      ...names,
      ...written.map((words, i) => text(left, notesFrom + i * noteRow, words, { class: 'faint' })),
    ].join('\n'),
    bottom: Number(coordinate(notesFrom + (written.length - 1) * noteRow + 12)),
  };
}
