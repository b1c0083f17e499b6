import { coordinate, element, escapeXml } from '../xml.ts';
import { left } from './axes.ts';
import {
  drawErrorPanel,
  type ErrorPanel,
  type ErrorPoint,
  errorScale,
  markShape,
} from './errorPanel.ts';
import { type LegendEntry, legend } from './legend.ts';
import { text, textWidth } from './svg.ts';
import { lineColours, palette, strokeRules } from './theme.ts';

/** In the picture's own units, of which a page shows one as a pixel or more. */
const width = 940;

type Key = 'ours' | 'pytorch' | 'added';

const keys: { readonly [K in Key]: LegendEntry } = {
  ours: { label: 'ours', stroke: 'solid', colour: 0 },
  pytorch: { label: "PyTorch's own float32", stroke: 'wide', colour: 1 },
  added: { label: 'what the layer itself adds, ours', stroke: 'dotted', colour: 2 },
};

const markWords = [
  ['diverges', 'diverges'],
  ['inherits', 'inherits the error'],
  ['flipped', 'a decision flipped'],
] as const;

const between = 20;
const row = 20;

/** A key: its drawing at a place, how wide that is, and what it stands for. */
type Sign = readonly [draw: (x: number, y: number) => string, wide: number, label: string];

/** The limit and the marks, as far as the panels hold them. */
function signsOf(points: readonly ErrorPoint[]): Sign[] {
  const limit: Sign = [
    (x, y) => element('path', { class: 'line limit', d: `M${coordinate(x)} ${y}h26` }),
    26,
    'largest that passes',
  ];
  return [
    ...(points.some((point) => point.limit !== undefined) ? [limit] : []),
    ...markWords.flatMap(([mark, label]): Sign[] =>
      points.some((point) => point.mark === mark)
        ? [[(x, y) => markShape(mark, x + 6, y), 12, label]]
        : [],
    ),
  ];
}

/** The lines in a row, the other signs in a second one; nothing that is not in the panels. */
function legendOf(panels: readonly ErrorPanel[], y: number): string {
  const points = panels.flatMap((panel) => panel.points);
  const shown = (['ours', 'pytorch', 'added'] as const).filter((key) =>
    points.some((point) => point[key] !== undefined),
  );
  const lines = legend(
    shown.map((key) => keys[key]),
    { x: left, y, width: width - left },
  );
  let x = left;
  const signs = signsOf(points).map(([draw, wide, label]) => {
    const sign = draw(x, y + row) + text(x + wide + 6, y + row + 4, label);
    x += wide + 6 + textWidth(label, 12) + between;
    return sign;
  });
  return [lines.svg, ...signs].join('\n');
}

/**
 * Errors of a model's tensors, panels one below the other on one logarithmic scale, as an element to stand
 * in a page: its colours come from `errorFigureStyle` there.
 */
export function errorFigure(
  panels: readonly ErrorPanel[],
  {
    id,
    title,
    description,
  }: { readonly id: string; readonly title: string; readonly description: string },
): string {
  const scale = errorScale(panels);
  const parts = [legendOf(panels, 14)];
  let bottom = 34 + row;
  for (const panel of panels) {
    const drawn = drawErrorPanel(panel, scale, { top: bottom + 8, width });
    parts.push(drawn.svg);
    bottom = drawn.bottom;
  }
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${Math.ceil(bottom)}`,
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-desc`,
    },
    [
      `<title id="${id}-title">${escapeXml(title)}</title>`,
      `<desc id="${id}-desc">${escapeXml(description)}</desc>`,
      ...parts,
    ].join('\n'),
  )}\n`;
}

/** The colours of a scheme as custom properties, for the picture and for the page around it. */
export const colourProperties = (theme: 'light' | 'dark'): string =>
  [
    ...Object.entries(palette).map(([name, { [theme]: colour }]) => `--${name}:${colour}`),

    ...lineColours.map(({ [theme]: colour }, i) => `--c${i}:${colour}`),
  ].join(';');

/** Rules for `errorFigure` inside an element of class `chart`. */
export const errorFigureStyle = [
  '.chart text{fill:var(--ink);font-size:12px}',
  '.chart .head{font-size:13px;font-weight:600}',
  '.chart text.faint{fill:var(--faint)}',
  '.chart .grid,.chart .axis{stroke-width:1;fill:none}',
  '.chart .grid{stroke:var(--grid)}',
  '.chart .axis{stroke:var(--faint)}',
  strokeRules,
  '.chart .wide{stroke-opacity:.6}',
  ...lineColours.map(
    (_, i) => `.chart .c${i}{stroke:var(--c${i})}.chart .d${i}{fill:var(--c${i})}`,
  ),
  '.chart .limit{stroke:var(--faint);stroke-width:1.4;stroke-dasharray:8 3}',
  '.chart .wrong{stroke:var(--wrong);stroke-width:2.2;fill:none}',
  '.chart .first{stroke-width:1.2;stroke-dasharray:3 3}',
  '.chart text.wrongText{fill:var(--wrong);font-weight:600}',
  '.chart .flipped{stroke:var(--ink);stroke-width:1.4;fill:none}',
  '.chart .hit{fill:transparent}.chart .hit:hover{fill:var(--faint);fill-opacity:.14}',
].join('\n');
