import { coordinate, element } from '../xml.ts';
import type { Scale } from './scale.ts';
import { text } from './svg.ts';

/** Room beside a plot, for the labels of its y axis and for half a label of its x axis. */
export const left = 62;
export const right = 18;

/** Where numbers lie in a picture, in its own units. */
export interface Plot {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly bottom: number;
  readonly end: number;
}

export interface Axis {
  readonly scale: Scale;
  readonly label: string;
}

/** Labels below the x axis: upright numbers, or names that lean so that more of them find room. */
const place = (x: number, y: number, label: string, leaning: boolean): string =>
  leaning
    ? text(0, 0, label, {
        class: 'faint',
        'text-anchor': 'end',
        transform: `translate(${coordinate(x + 4)} ${coordinate(y + 14)}) rotate(-50)`,
      })
    : text(x, y + 19, label, { class: 'faint', 'text-anchor': 'middle' });

/** Both axes, their ticks and what the numbers are; `xRoom` is what the labels below take up. */
export function axes(
  plot: Plot,
  x: Axis,
  y: Axis,
  { leaning = false, xRoom = 36 }: { readonly leaning?: boolean; readonly xRoom?: number } = {},
): string[] {
  const { top, bottom, end } = plot;
  const middle = (top + bottom) / 2;
  return [
    ...y.scale.ticks.flatMap(({ value, label }) => [
      element('path', { class: 'grid', d: `M${left} ${coordinate(plot.y(value))}H${end}` }),
      text(left - 8, plot.y(value) + 4, label, { class: 'faint', 'text-anchor': 'end' }),
    ]),
    ...x.scale.ticks.flatMap(({ value, label }) => [
      element('path', { class: 'axis', d: `M${coordinate(plot.x(value))} ${bottom}v5` }),
      place(plot.x(value), bottom, label, leaning),
    ]),
    element('path', { class: 'axis', d: `M${left} ${top}V${bottom}H${end}` }),
    text((left + end) / 2, bottom + xRoom, x.label, { 'text-anchor': 'middle' }),
    text(0, 0, y.label, {
      'text-anchor': 'middle',
      transform: `translate(16 ${coordinate(middle)}) rotate(-90)`,
    }),
  ];
}
