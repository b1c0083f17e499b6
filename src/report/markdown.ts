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

/** Cut to at most `most` characters, and said so by an ellipsis. */
export const clipped = (text: string, most: number): string => {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
};

const entity = (character: string): string => `&#${character.charCodeAt(0)};`;

/**
 * Somebody's words as plain text on one line: nothing in them becomes markup, a link, a mention or a
 * reference to an issue. GitHub looks for the last two in what is rendered, where only a comment keeps
 * the sign and the name apart.
 */
export const markdownText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[&<>"\\`*_{}[\]|~$]/g, entity)
    .replace(/[@#](?!\d+;)|:(?=\/\/)|www(?=\.)/gi, '$&<!-- -->');

/** Words as code on one line, in tables too; what would end a code span there needs a tag instead. */
export function markdownCode(text: string): string {
  const words = text.replace(/\s+/g, ' ');
  return /^[^\s`|\\](?:[^`|\\]*[^\s`|\\])?$/.test(words)
    ? `\`${words}\``
    : `<code>${words.replace(/[^\w./ ]/g, (character) => (character < '\x7f' ? entity(character) : character))}</code>`;
}
