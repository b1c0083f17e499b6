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
  /** As many as there are columns; the first one names the row, the second says its outcome if it has one. */
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

const opening = (name: string, className: string | undefined): Html => ({
  markup: className === undefined ? `<${name}>` : `<${name} class="${className}">`,
});

const columnClass = ({ numeric, long }: Column): string | undefined =>
  numeric ? 'n' : long ? 'long' : undefined;

/** A page holds thousands of rows: the end tags that HTML can do without are left out. */
function rowHtml({ outcome, cells }: Row, columns: readonly Column[]): Html {
  const parts = cells.map((cell, i) => {
    if (i === 0) return html`<th>${cell}`;
    const empty = cell === undefined || cell === '';
    return html`${opening('td', empty ? undefined : columnClass(columns[i]))}${cell}`;
  });
  return html`${opening('tr', outcome && outcomeClass[outcome])}${parts}
`;
}

/** Whether rows pass or fail; their second cell then says which. */
const judged = ({ rows }: Pick<Table, 'rows'>): boolean =>
  rows.some(({ outcome }) => outcome !== undefined);

const tools = ({
  id,
  rows,
  caption,
}: Table): Html => html`<div class="tools" hidden data-for="${id}">
<label>Filter <input type="search" aria-controls="${id}" aria-label="Filter: ${caption}" autocomplete="off" spellcheck="false"></label>
${judged({ rows }) && html`<label><input type="checkbox" aria-controls="${id}"> Only failures</label>`}
<output aria-live="polite"></output>
</div>
`;

/** A table in a container that scrolls by itself, so that the page never does sideways. */
export function tableHtml(table: Table): Html {
  const { id, caption, columns, rows } = table;
  return html`${table.tools && tools(table)}<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption">
<table id="${id}"${judged(table) && html` class="judged"`}>
<caption id="${id}-caption">${caption}</caption>
<thead><tr>${columns.map((column) => html`${opening('th', columnClass(column))}${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => rowHtml(row, columns))}</tbody>
</table>
</div>
`;
}
