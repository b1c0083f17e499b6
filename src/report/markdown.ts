export type Alignment = 'left' | 'right';

export interface MarkdownColumn {
  readonly title: string;
  readonly align?: Alignment;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A table, a line an element. */
export const markdownTable = (
  columns: readonly MarkdownColumn[],
  rows: readonly (readonly string[])[],
): string[] => [
  line(columns.map(({ title }) => cell(title))),
  line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
  ...rows.map((cells) => line(cells.map(cell))),
];
