import { element } from '../xml.ts';
import { text, textWidth } from './svg.ts';
import type { Colour, Stroke } from './theme.ts';

export interface LegendEntry {
  readonly label: string;
  readonly stroke: Stroke;
  /** Without one it speaks of all colours. */
  readonly colour?: Colour;
}

const swatch = 26;
const gap = 6;
const between = 20;
const fontSize = 12;
export const legendRow = 18;

/** Entries side by side in as many rows as `width` asks for. `y` is the middle of the first row. */
export function legend(
  entries: readonly LegendEntry[],
  { x: left, y: top, width }: { readonly x: number; readonly y: number; readonly width: number },
): { readonly svg: string; readonly height: number } {
  let [x, y] = [left, top];
  const parts: string[] = [];
  for (const { label, stroke, colour } of entries) {
    const wide = swatch + gap + textWidth(label, fontSize);
    if (x > left && x + wide > left + width) {
      x = left;
      y += legendRow;
    }
    const paint = colour === undefined ? 'neutral' : `c${colour}`;
    parts.push(
      element('line', { x1: x, y1: y, x2: x + swatch, y2: y, class: `line ${stroke} ${paint}` }),
      text(x + swatch + gap, y + 4, label),
    );
    x += wide + between;
  }
  return {
    svg: parts.join('\n'),
    height: entries.length === 0 ? 0 : y - top + legendRow,
  };
}
