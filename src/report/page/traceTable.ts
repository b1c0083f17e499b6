import type { Trace, TraceRow, TraceState } from '../../align/trace.ts';
import { formatShape } from '../../tensor/shape.ts';
import { rowWords } from '../diffReport.ts';
import { cellNumber } from './cells.ts';
import { type Html, html } from './html.ts';
import type { Row, Table } from './table.ts';

const columns = [
  { title: 'Tensor' },
  { title: 'State' },
  { title: '#', numeric: true },
  { title: 'What' },
  { title: 'Shape' },
  { title: 'Ours', numeric: true },
  { title: 'PyTorch’s own', numeric: true },
  { title: 'Ratio', numeric: true },
  { title: 'Layer adds', numeric: true },
  { title: 'PyTorch’s layer adds', numeric: true },
  { title: 'Limit', numeric: true },
  { title: 'Max |a − b|', numeric: true },
  { title: 'ULP', numeric: true },
  { title: 'Note', long: true },
] as const;

const outcomes: { readonly [S in TraceState]: NonNullable<Row['outcome']> } = {
  agrees: 'passed',
  flipped: 'warned',
  inherits: 'warned',
  diverges: 'failed',
  missing: 'failed',
};

const signs = { passed: '✓', warned: '–', failed: '✗' } as const;

const stateMark = (state: TraceState): Html => {
  const outcome = outcomes[state];
  return html`<span class="mark ${outcome}">${signs[outcome]} ${state}</span>`;
};

function rowOf(row: TraceRow, i: number, first: number | undefined): Row {
  const { name, state, kind, shape, sampled, error, added, limit, distances } = row;
  const notes = [
    ...(i === first ? ['first divergence'] : []),
    ...[rowWords(row)].filter((text) => text !== ''),
    ...(sampled ? ['sampled'] : []),
  ];
  return {
    outcome: outcomes[state],
    cells: [
      name,
      stateMark(state),
      i + 1,
      kind,
      formatShape(shape),
      cellNumber(error?.ours),
      cellNumber(error?.pytorch),
      cellNumber(error?.ratio),
      cellNumber(added?.ours),
      cellNumber(added?.pytorch),
      cellNumber(limit?.value),
      cellNumber(distances?.maxAbs),
      cellNumber(distances?.maxUlp),
      notes.join('; '),
    ],
  };
}

/** Every tensor of a trace in execution order. */
export const traceTable = ({ model, rows, firstDivergence }: Trace, id: string): Table => ({
  id,
  caption: `Trace of ${model}: relative L2 errors to float64, in execution order`,
  columns,
  rows: rows.map((row, i) => rowOf(row, i, firstDivergence)),
  tools: true,
});

/** The reasons that limits stand where they do, with what they hold for: overrides among them. */
export function limitTable({ model, rows }: Trace, id: string): Table {
  const byReason = new Map<string, TraceRow[]>();
  for (const row of rows) {
    if (row.limit === undefined) continue;
    byReason.set(row.limit.why, [...(byReason.get(row.limit.why) ?? []), row]);
  }
  return {
    id,
    caption: `Why the limits of ${model} are what they are`,
    columns: [
      { title: 'Reason' },
      { title: 'Tensors', numeric: true },
      { title: 'Smallest limit', numeric: true },
      { title: 'Largest limit', numeric: true },
      { title: 'Holds for', long: true },
    ],
    rows: [...byReason].map(([why, held]) => {
      const limits = held.map(({ limit }) => limit?.value ?? 0);
      const names = held.slice(0, 3).map(({ name }) => name);
      return {
        cells: [
          why,
          held.length,
          cellNumber(Math.min(...limits)),
          cellNumber(Math.max(...limits)),
          [...names, ...(held.length > 3 ? [`and ${held.length - 3} more`] : [])].join(', '),
        ],
      };
    }),
  };
}
