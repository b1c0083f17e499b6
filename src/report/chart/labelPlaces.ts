import { textWidth } from './svg.ts';

/** What words take up, in the picture's units. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const fontSize = 12;
/** Above and below the middle of a line of text. */
const half = 8;
/** Between two labels. */
const gap = 3;

/** The box of words whose middle is at (x, y). */
export function labelBox(words: string, x: number, y: number): Box {
  const wide = textWidth(words, fontSize) / 2;
  return { left: x - wide, right: x + wide, top: y - half, bottom: y + half };
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right + gap &&
  b.left < a.right + gap &&
  a.top < b.bottom + gap &&
  b.top < a.bottom + gap;

const inside = (a: Box, b: Box): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

/** Whether words at a place lie inside `within` and on nothing that is taken. */
export const isFree = (box: Box, within: Box, taken: readonly Box[]): boolean =>
  inside(box, within) && !taken.some((other) => overlap(box, other));

/** How far the middles of two boxes are apart. */
const between = (a: Box, b: Box): number =>
  Math.hypot((a.left + a.right - b.left - b.right) / 2, (a.top + a.bottom - b.top - b.bottom) / 2);

/**
 * The one of some places at which words are free and farthest from all that is taken; undefined where they are free
 * nowhere.
 */
export function freest(
  words: string,
  places: readonly (readonly [x: number, y: number])[],
  within: Box,
  taken: readonly Box[],
): { readonly x: number; readonly y: number; readonly box: Box } | undefined {
  let best: { x: number; y: number; box: Box; room: number } | undefined;
  for (const [x, y] of places) {
    const box = labelBox(words, x, y);
    if (!isFree(box, within, taken)) continue;
    const room = taken.reduce((least, other) => Math.min(least, between(box, other)), 1e9);
    if (best === undefined || room > best.room) best = { x, y, box, room };
  }
  return best;
}
