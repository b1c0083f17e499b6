import { printable } from '../../io/names.ts';
import { counted, firstFew } from '../../words.ts';
import type { Row } from './folded.ts';
import type { Proposals, Sureness } from './proposal.ts';

const marks: Readonly<Record<Sureness, string>> = { sure: '✓', likely: '~', guess: '?' };

const mostRows = 40;
const shownNames = 5;
const columns = ['', 'ours', 'probe', 'layout', 'why'] as const;

const few = (names: readonly string[]): string => firstFew(names.map(printable), shownNames);

/** Columns as wide as what stands in them; the last runs on. */
function laidOut(rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const cell = (text: string, i: number): string =>
    i === columns.length - 1 ? text : text.padEnd(widths[i]);
  return rows.map((row) => row.map(cell).join('  ').trimEnd());
}

/**
 * The entries of a proposed map for the terminal, in the order in which the probes are computed; of many the least sure
 * ones. Then what is left over on both sides, and how many are how sure.
 */
export function namesTable(
  { proposals, unnamed, unused }: Proposals,
  rows: readonly Row[],
): string[] {
  const order: readonly Sureness[] = ['guess', 'likely', 'sure'];
  const ranked = rows.toSorted((a, b) => order.indexOf(a.how) - order.indexOf(b.how));
  const kept = new Set(ranked.slice(0, mostRows));
  const shown = rows
    .filter((row) => kept.has(row))
    .map(({ entry: { ours, probe, layout, because }, how }) => [
      marks[how],
      printable(ours),
      probe === null ? 'none' : printable(probe),
      layout ?? '',
      because ?? '',
    ]);
  const hidden = rows.length - shown.length;
  const count = (sureness: Sureness): number =>
    proposals.filter((one) => one.how === sureness).length;
  return [
    ...(shown.length > 0 ? laidOut([columns, ...shown]) : []),
    ...(hidden > 0 ? [`… and ${hidden} more entries, none of them less sure`] : []),
    ...(unused.length > 0 ? [`– recorded, and no probe as far as is seen: ${few(unused)}`] : []),
    ...(unnamed.length > 0
      ? [`– ${counted(unnamed.length, 'probe')} without a tensor of ours: ${few(unnamed)}`]
      : []),
    `${counted(proposals.length, 'tensor')} named: ${count('sure')} sure ✓, ${count('likely')} likely ~, ${count('guess')} to look at ?`,
  ];
}
