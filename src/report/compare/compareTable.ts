import type { Comparison } from '../../align/judge/compareRecordings.ts';
import { passed, type Verdict } from '../../align/judge/verdict.ts';
import { printable } from '../../io/names.ts';
import { formatShape } from '../../tensor/shape.ts';
import { elementType, type TensorMap } from '../../tensor/tensor.ts';
import { shortNumber } from '../shortNumber.ts';

const mostRows = 20;

const columns = ['', 'key', 'shape', 'dtype', 'mean', 'max', 'relative', 'ulp'] as const;
/** The first columns hold text, the others numbers. */
const textColumns = 4;

/** How bad a verdict is: failures before passes, problems first, then by the largest share. */
function badness(verdict: Verdict): number {
  if (verdict.problem !== undefined) return Infinity;
  const worst = Math.max(...verdict.checks.map((c) => c.value / (c.threshold || Number.MIN_VALUE)));
  return passed(verdict) ? Math.min(worst, 1) : worst;
}

function row(verdict: Verdict, a: TensorMap, b: TensorMap): string[] {
  const { name, problem, distances } = verdict;
  const t = a.get(name) ?? b.get(name);
  const start = [
    passed(verdict) ? '✓' : '✗',
    printable(name),
    t === undefined ? '' : formatShape(t.shape),
    t === undefined ? '' : elementType(t),
  ];
  if (problem !== undefined || distances === undefined) return [...start, problem ?? ''];
  const { meanAbs, maxAbs, relativeL2, maxUlp } = distances;
  const ulp = t !== undefined && elementType(t) === 'float32' ? shortNumber(maxUlp) : '';
  return [...start, shortNumber(meanAbs), shortNumber(maxAbs), shortNumber(relativeL2), ulp];
}

/**
 * A comparison for the terminal, the worst keys first: shape, dtype, mean and largest |A − B|, ‖A − B‖/‖B‖
 * and, for float32, the largest distance in units of the last place. A key that could not be compared says why.
 */
export function compareTable({ verdicts }: Comparison, a: TensorMap, b: TensorMap): string[] {
  const ranked = [...verdicts].sort((p, q) => badness(q) - badness(p) || 0);
  const shown = ranked.slice(0, mostRows).map((v) => row(v, a, b));
  const cells: readonly (readonly string[])[] = [columns, ...shown];
  // A problem runs past its column; numbers alone set the widths there.
  const full = cells.filter((r) => r.length === columns.length);
  const widths = columns.map((_, i) =>
    Math.max(...(i < textColumns ? cells : full).map((r) => r[i].length)),
  );
  const line = (r: readonly string[]): string =>
    r
      .map((cell, i) => (i < textColumns ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const hidden = ranked.length - shown.length;
  return [...cells.map(line), ...(hidden > 0 ? [`… and ${hidden} more, none of them worse`] : [])];
}
