import { rowPassed, type Trace, type TraceRow, type TraceState } from '../../align/trace/trace.ts';
import { formatShape } from '../../tensor/shape.ts';
import { rowWords } from '../diffReport.ts';
import { cellNumber } from './cells.ts';
import type { Row, Table } from './table.ts';
import { type LayerWords, tensorName } from './tensorName.ts';

const columns = [
  { title: 'Tensor' },
  { title: 'State' },
  { title: 'What' },
  { title: 'Ours', numeric: true },
  { title: 'PyTorch’s own', numeric: true },
  { title: 'Ratio', numeric: true },
  { title: 'Layer adds', numeric: true },
  { title: 'PyTorch’s adds', numeric: true },
  { title: 'Limit', numeric: true },
  { title: 'May add', numeric: true },
  { title: '#', numeric: true },
  { title: 'Shape' },
  { title: 'Max |a − b|', numeric: true },
  { title: 'ULP', numeric: true },
  { title: 'Note', long: true },
] as const;

const outcomes: { readonly [S in TraceState]: NonNullable<Row['outcome']> } = {
  agrees: 'passed',
  flipped: 'warned',
  inherits: 'inherited',
  diverges: 'failed',
  missing: 'failed',
};

const signs = { passed: '✓', warned: '~', inherited: '·', failed: '✗' } as const;

function rowOf(row: TraceRow, i: number, first: number | undefined, layers: LayerWords): Row {
  const { name, state, kind, shape, sampled, error, added, limit, addedLimit, distances } = row;
  const notes = [
    ...(i === first ? ['first divergence'] : []),
    ...[rowWords(row)].filter((text) => text !== ''),
    ...(limit === undefined || !rowPassed(row) ? [] : [`limit: ${limit.why}`]),
  ];
  return {
    outcome: outcomes[state],
    cells: [
      tensorName(name, layers),
      `${signs[outcomes[state]]} ${state}`,
      kind,
      cellNumber(error?.ours),
      cellNumber(error?.pytorch),
      cellNumber(error?.ratio),
      cellNumber(added?.ours),
      cellNumber(added?.pytorch),
      cellNumber(limit?.value),
      cellNumber(addedLimit?.value),
      i + 1,
      `${formatShape(shape)}${sampled ? ', sampled' : ''}`,
      cellNumber(distances?.maxAbs),
      cellNumber(distances?.maxUlp),
      notes.join('; '),
    ],
  };
}

/** Every tensor of a trace in execution order. */
export const traceTable = (
  { model, rows, firstDivergence }: Trace,
  id: string,
  layers: LayerWords,
): Table => ({
  id,
  caption: `Trace of ${model}: relative L2 errors to float64, in execution order`,
  columns,
  rows: rows.map((row, i) => rowOf(row, i, firstDivergence, layers)),
  tools: true,
});
