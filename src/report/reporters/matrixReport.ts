import type { Furthest, Matrix, MatrixCell } from '../../align/sideBySide/matrix.ts';
import { type TextColumn, tableFor } from '../textTable.ts';

const short = (x: number): string => (x === 0 ? '0' : x.toExponential(1));

const place = ({ tensor, relativeL2 }: Furthest): string => `${short(relativeL2)} (${tensor})`;

const truth = ({ toTruth }: MatrixCell): string => {
  if (toTruth === undefined) return '–';
  const own = toTruth.pytorch === undefined ? '' : `; PyTorch ${short(toTruth.pytorch)}`;
  return `${short(toTruth.relativeL2)} (${toTruth.tensor}${own})`;
};

const right = { align: 'right' } as const;

/** Where nothing has a truth, its column is the first that a narrow terminal does without. */
const backendColumns = (anyTruth: boolean): readonly TextColumn[] => [
  { title: 'backend' },
  { title: 'stage' },
  { title: 'passed' },
  { title: 'furthest from the truth', shortens: true, ...(anyTruth ? {} : { goes: 1 }) },
  { title: 'furthest from PyTorch', shortens: true, ...(anyTruth ? { goes: 3 } : {}) },
  { title: 'seconds', ...right, goes: 2 },
];

const pairColumns: readonly TextColumn[] = [
  { title: 'stage' },
  { title: 'between', shortens: true },
  { title: 'furthest from each other', shortens: true },
];

/** A model's matrix: tables in Markdown, or plain ones for a terminal `width` columns wide. */
export function matrixLines(
  { model, rows, pairs, absent }: Matrix,
  width = Number.POSITIVE_INFINITY,
): string[] {
  const anyTruth = rows.some(({ cells: own }) => own.some((c) => c.toTruth !== undefined));
  const cells = tableFor(
    width,
    backendColumns(anyTruth),
    rows.flatMap(({ name, cells: own }) =>
      own.map((cell) => [
        name,
        cell.stage,
        cell.passed ? 'yes' : 'no',
        truth(cell),
        cell.toPyTorch === undefined ? '–' : place(cell.toPyTorch),
        cell.seconds.toFixed(1),
      ]),
    ),
  );
  const between = tableFor(
    width,
    pairColumns,
    pairs.map(({ stage, a, b, furthest }) => [stage, `${a} and ${b}`, place(furthest)]),
  );
  return [
    `${model}: relative L2 of the tensor that is furthest off`,
    ...rows.map(({ name, description }) => `  ${name}: ${description}`),
    ...absent.map(({ name, why }) => `  ${name} left out: ${why}`),
    '',
    ...cells,
    ...(pairs.length === 0 ? [] : ['', ...between]),
    '',
  ];
}

/** JSON has no NaN or Infinity: they go as text. */
const finite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** Everything, machine-readable. */
export const matrixJson = (
  matrices: readonly Matrix[],
  versions: Readonly<Record<string, string>>,
): string =>
  `${JSON.stringify({ format: 'swa-align-matrix/1', versions, models: matrices }, finite, 1)}\n`;
