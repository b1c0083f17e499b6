import { type Html, html } from './html.ts';

export interface Column {
  readonly title: string;
  /** Numbers are set flush right, and sorted as numbers. */
  readonly numeric?: boolean;
  /** Sentences, which want room. */
  readonly long?: boolean;
}

export interface Row {
  /** Undefined where the row reports nothing that could pass or fail. */
  readonly outcome?: 'passed' | 'failed' | 'warned' | 'inherited';
  /** As many as there are columns; the first one names the row. */
  readonly cells: readonly (Html | string | number | undefined)[];
}

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Sorted and filtered by the reader, where scripts run. */
  readonly tools?: boolean;
}

/** What only inherits its error failed all the same, but should not cry as loud. */
const outcomeClass = {
  passed: undefined,
  failed: 'failed',
  warned: 'warned',
  inherited: 'failed warned',
} as const;

/** Attributes are only written where they say something: a page holds thousands of these. */
const opening = (name: string, className: string | undefined, more = ''): Html => ({
  markup: `<${name}${className === undefined ? '' : ` class="${className}"`}${more}>`,
});

const columnClass = ({ numeric, long }: Column): string | undefined =>
  numeric ? 'n' : long ? 'long' : undefined;

function rowHtml({ outcome, cells }: Row, columns: readonly Column[]): Html {
  const [name, ...others] = cells;
  return html`${opening('tr', outcome && outcomeClass[outcome])}${opening('th', undefined, ' scope="row"')}${name}</th>${others.map(
    (cell, i) => html`${opening('td', columnClass(columns[i + 1]))}${cell}</td>`,
  )}</tr>
`;
}

const tools = ({
  id,
  rows,
  caption,
}: Table): Html => html`<div class="tools" hidden data-for="${id}">
<label>Filter <input type="search" aria-controls="${id}" aria-label="Filter: ${caption}" autocomplete="off" spellcheck="false"></label>
${rows.some(({ outcome }) => outcome !== undefined) && html`<label><input type="checkbox" aria-controls="${id}"> Only failures</label>`}
<output aria-live="polite"></output>
</div>
`;

/** A table in a container that scrolls by itself, so that the page never does sideways. */
export function tableHtml(table: Table): Html {
  const { id, caption, columns, rows } = table;
  return html`${table.tools && tools(table)}<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption">
<table id="${id}">
<caption id="${id}-caption">${caption}</caption>
<thead><tr>${columns.map((column) => html`${opening('th', columnClass(column), ' scope="col"')}${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => rowHtml(row, columns))}</tbody>
</table>
</div>
`;
}
