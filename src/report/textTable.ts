import { markdownTable } from './markdown.ts';

export interface TextColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** What a narrow terminal can do without, the lowest number first. Without a number it always stays. */
  readonly goes?: number;
  /** Long cells may lose their middle. */
  readonly shortens?: boolean;
}

/** A table laid out, and the titles of the columns that there was no room for. */
export interface TextTable {
  /** The heading, then a line a row. */
  readonly lines: readonly string[];
  readonly left: readonly string[];
}

/** At most `most` characters: beginning and end, of which the end tells more. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const end = Math.ceil((most - 1) * 0.6);
  return [...characters.slice(0, most - 1 - end), '…', ...characters.slice(-end)].join('');
}

const gap = '  ';

/** A name is cut down to this before a column goes, and further only when none is left to go. */
const shortName = 24;
const shortestName = 8;

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(widths.length - 1, 0);

/** The widest of the columns that may shrink gives way first; those that fit in `columns`, if any do. */
function shrunk(
  natural: readonly number[],
  kept: readonly TextColumn[],
  least: number,
  columns: number,
): number[] | undefined {
  const widths = [...natural];
  while (total(widths) > columns) {
    const wide = widths.map((width, i) => (kept[i].shortens && width > least ? width : 0));
    const widest = Math.max(...wide);
    if (widest === 0) return undefined;
    widths[wide.indexOf(widest)]--;
  }
  return widths;
}

/**
 * Rows in aligned columns, no wider than `columns` where that can be: names lose their middle, then columns go. A row
 * with fewer cells than columns ends in a text, which runs past its column and may be longer than that.
 */
export function textTable(
  head: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): TextTable {
  const table = [head.map(({ title }) => title), ...rows];
  const natural = head.map((_, i) =>
    Math.max(
      ...table
        .filter((row) => row.length === head.length || i < row.length - 1)
        .map((row) => row[i].length),
    ),
  );
  const going = head.flatMap(({ goes }) => goes ?? []).sort((a, b) => a - b);
  const stays = (from: number) => (_: unknown, i: number) => (head[i].goes ?? Infinity) >= from;
  const laidOut = (from: number, least: number) => {
    const kept = head.filter(stays(from));
    const widths = shrunk(natural.filter(stays(from)), kept, least, columns);
    return widths && { kept, widths };
  };
  const all = Number.POSITIVE_INFINITY;
  const { kept, widths } = [0, ...going.map((goes) => goes + 1)]
    .map((from) => laidOut(from, shortName))
    .find((found) => found !== undefined) ??
    laidOut(all, shortestName) ?? {
      kept: head.filter(stays(all)),
      widths: natural.filter(stays(all)),
    };
  const line = (row: readonly string[]): string => {
    const isText = (i: number): boolean => row.length < head.length && i === row.length - 1;
    return row
      .flatMap((cell, i) => {
        const at = kept.indexOf(head[i]);
        if (isText(i)) return [cell];
        if (at < 0) return [];
        const text = shortened(cell, widths[at]);
        return [head[i].align === 'right' ? text.padStart(widths[at]) : text.padEnd(widths[at])];
      })
      .join(gap)
      .trimEnd();
  };
  const left = head.filter((column) => !kept.includes(column)).map(({ title }) => title);
  return { lines: table.map(line), left };
}

/** Said beneath a table that had no room for some of its columns. */
export const noRoomFor = (left: readonly string[]): string[] =>
  left.length === 0 ? [] : [`(no room here for ${left.join(', ')})`];

/** A table for people at a terminal so many columns wide, and in Markdown for a file or a program. */
export function tableFor(
  columns: number,
  head: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): string[] {
  if (columns === Number.POSITIVE_INFINITY) return markdownTable(head, rows);
  const { lines, left } = textTable(head, rows, columns);
  return [...lines, ...noRoomFor(left)];
}
