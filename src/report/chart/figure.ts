import { element, escapeXml } from '../xml.ts';
import { type LegendEntry, legend, legendRow } from './legend.ts';
import { drawPanel, type Panel } from './panel.ts';
import { text } from './svg.ts';
import { styleSheet } from './theme.ts';

/** What stands above the panels. */
export interface Heading {
  readonly title: string;
  readonly subtitle: string;
  /** What tells runs apart in every panel; nothing for a run alone. */
  readonly runs: readonly LegendEntry[];
  /** The picture in words, for those who do not see it. */
  readonly description?: string;
}

/** Panels one below the other. */
export interface Figure extends Heading {
  readonly panels: readonly Panel[];
}

/** Draws a panel from `top` downwards, over the whole `width`; gives back where it ends. */
export type DrawPanel = (
  top: number,
  width: number,
) => { readonly svg: string; readonly bottom: number };

const width = 760;
const margin = 18;
const panelGap = 14;

/** The figure as a file of its own: it names no font, style or picture elsewhere. */
export const figureSvg = ({ panels, ...heading }: Figure): string =>
  pictureSvg(
    heading,
    panels.map(
      (panel): DrawPanel =>
        (top, width) =>
          drawPanel(panel, top, width),
    ),
  );

/** The same of panels of any kind. */
export function pictureSvg(
  { title, subtitle, runs, description }: Heading,
  panels: readonly DrawPanel[],
): string {
  const parts = [
    text(margin, 30, title, { class: 'title' }),
    text(margin, 50, subtitle, { class: 'faint' }),
  ];
  const keys = legend(runs, { x: margin, y: 70, width: width - 2 * margin });
  parts.push(keys.svg);
  let bottom = 60 + (keys.height === 0 ? 0 : keys.height + legendRow / 2);
  for (const panel of panels) {
    const drawn = panel(bottom + panelGap, width);
    parts.push(drawn.svg);
    bottom = drawn.bottom;
  }
  const height = Math.ceil(bottom + margin / 2);
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
    },
    [
      '',
      `<title>${escapeXml(title)}</title>`,
      ...(description === undefined ? [] : [`<desc>${escapeXml(description)}</desc>`]),
      `<style>${styleSheet}</style>`,
      element('rect', { class: 'paper', width, height }),
      ...parts.filter((part) => part !== ''),
      '',
    ].join('\n'),
  )}\n`;
}
