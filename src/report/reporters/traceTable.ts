import {
  type Trace,
  type TraceError,
  type TraceRow,
  type TraceState,
  tracePassed,
} from '../../align/trace/trace.ts';
import { type TextColumn, textTable } from '../textTable.ts';

const short = (x: number): string => (x === 0 ? '0' : x.toExponential(1));

const marks: { readonly [S in TraceState]: string } = {
  agrees: '✓',
  flipped: '~',
  inherits: '·',
  diverges: '✗',
  missing: '✗',
};

/** PyTorch's own errors are in the ratio. */
const head: readonly TextColumn[] = [
  { title: '' },
  { title: 'tensor', shortens: true },
  { title: 'computed by', shortens: true, goes: 2 },
  { title: 'error', align: 'right' },
  { title: "PyTorch's", align: 'right', goes: 3 },
  { title: 'ratio', align: 'right' },
  { title: 'added', align: 'right', goes: 4 },
  { title: "PyTorch's", align: 'right', goes: 1 },
  { title: '' },
];

const errorCells = (error: TraceError | undefined, ratio: boolean): string[] => {
  if (error === undefined) return ratio ? ['-', '-', '-'] : ['-', '-'];
  const cells = [short(error.ours), short(error.pytorch)];
  return ratio ? [...cells, error.ratio.toFixed(1)] : cells;
};

function cells(row: TraceRow, first: boolean): string[] {
  return [
    marks[row.state],
    row.name,
    row.layer,
    ...errorCells(row.error, true),
    ...errorCells(row.added, false),
    `${row.state}${first ? '  ← first' : ''}`,
  ];
}

const indent = '  ';

/** Why a row is not as it should be, beneath it. */
function remarks(row: TraceRow): string[] {
  const { state, limit, addedLimit, added, error, problem, flips, override } = row;
  if (problem !== undefined) return [problem];
  if (override !== undefined) {
    return [`limit ${short(override.limit)} set by hand: ${override.reason}`];
  }
  if (state === 'flipped' && flips !== undefined) {
    return [`no more than the ${flips.length} flipped decisions below explain`];
  }
  if (state !== 'diverges' || error === undefined || limit === undefined) return [];
  if (added !== undefined && addedLimit !== undefined && !(added.ours <= addedLimit.value)) {
    return [`adds ${short(added.ours)}, may add ${short(addedLimit.value)}: ${addedLimit.why}`];
  }
  return [`error ${short(error.ours)}, limit ${short(limit.value)}: ${limit.why}`];
}

const saysMore = (row: TraceRow): boolean => row.state !== 'inherits' || remarks(row).length > 0;

/** Fewer stand for themselves. */
const fewestFolded = 3;

/** The rows by number, each by itself, but together those in a row that only inherit. */
function folded(rows: readonly TraceRow[]): number[][] {
  const groups: number[][] = [];
  rows.forEach((row, i) => {
    const open = groups.at(-1);
    const joins = open !== undefined && !saysMore(row) && !saysMore(rows[open[0]]);
    if (joins) open.push(i);
    else groups.push([i]);
  });
  return groups.flatMap((group) => (group.length < fewestFolded ? group.map((i) => [i]) : [group]));
}

const inheritors = (rows: readonly TraceRow[]): string =>
  `${marks.inherits}  ${rows[0].name} … ${rows[rows.length - 1].name}: ${rows.length} tensors inherit it`;

/**
 * A trace for the terminal: a row a tensor in execution order, errors to the float64 truth beside PyTorch's
 * own, what the layer adds by itself, and the first divergence marked. Rows that only inherit are folded. Where `columns` are few, some are left out.
 */
export function traceTable(trace: Trace, columns = Number.POSITIVE_INFINITY): string[] {
  const { rows, firstDivergence, notes } = trace;
  const { lines } = textTable(
    head,
    rows.map((row, i) => cells(row, i === firstDivergence)),
    columns - indent.length,
  );
  const body = folded(rows).flatMap((group) =>
    group.length > 1
      ? [inheritors(group.map((i) => rows[i]))]
      : [lines[group[0] + 1], ...remarks(rows[group[0]]).map((remark) => `     ${remark}`)],
  );
  const first = firstDivergence === undefined ? undefined : rows[firstDivergence];
  const verdict =
    first === undefined
      ? `trace: ${tracePassed(trace) ? `all ${rows.length} tensors agree` : 'nothing was traced'}`
      : `trace: first ${first.state === 'missing' ? 'missing' : 'divergence'}: ${first.name}, computed by ${first.layer}`;
  return [lines[0], ...body, ...notes, verdict].map((line) => indent + line);
}
