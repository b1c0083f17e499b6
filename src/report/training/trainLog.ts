import type { LogRow } from '../../train/logRow.ts';

/*
 * The table of the authors' train.py: each epoch a table of its own by Python's `tabulate` (format
 * "simple", floats "8.4f"), of which only every 40th shows its header. A column is as wide as its cell
 * or its title and two spaces; one without a number is set to the left.
 */

const epochsPerHeader = 40;

/** Whether this epoch's line comes with the header. */
export const hasHeader = ({ epoch }: LogRow): boolean => (epoch - 1) % epochsPerHeader === 0;

/** Python's '%.4f': like toFixed, but the even neighbour where the number lies in the middle. */
function fixed4(value: number): string {
  const [whole, digits] = value.toFixed(30).split('.');
  const middle = /^50*$/.test(digits.slice(4));
  const lower = `${whole}.${digits.slice(0, 4)}`;
  return middle && Number(digits[3]) % 2 === 0 ? lower : value.toFixed(4);
}

const float = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : fixed4(value).padStart(8);

type Column = readonly [title: string, cell: string | undefined];

const columnsOf = (row: LogRow, swa: boolean, seconds: number | undefined): Column[] => [
  ['ep', String(row.epoch)],
  ['lr', float(row.lr)],
  ['tr_loss', float(row.trainLoss)],
  ['tr_acc', float(row.trainAccuracy)],
  ['te_loss', float(row.testLoss)],
  ['te_acc', float(row.testAccuracy)],
  ...(swa
    ? ([
        ['swa_te_loss', float(row.swaTestLoss)],
        ['swa_te_acc', float(row.swaTestAccuracy)],
      ] satisfies Column[])
    : []),
  ['time', float(seconds)],
];

const widthOf = ([title, cell = '']: Column): number => Math.max(title.length + 2, cell.length);

const aligned = (text: string, [title, cell]: Column): string => {
  const width = widthOf([title, cell]);
  return cell === undefined ? text.padEnd(width) : text.padStart(width);
};

const gap = '  ';

/** An epoch's line; the time stays blank where nobody knows it any more. */
export const logLine = (row: LogRow, swa: boolean, seconds?: number): string =>
  columnsOf(row, swa, seconds)
    .map((column) => aligned(column[1] ?? '', column))
    .join(gap)
    .trimEnd();

/** The three lines above an epoch's line: rule, titles, rule. */
export function logHeader(row: LogRow, swa: boolean, seconds = 0): string[] {
  const columns = columnsOf(row, swa, seconds);
  const rule = columns.map((column) => '-'.repeat(widthOf(column))).join(gap);
  return [rule, columns.map((column) => aligned(column[0], column)).join(gap), rule];
}

/** What a log that was written before says of a row, if it says the same: the line, its time last. */
function writtenLine(row: LogRow, swa: boolean, written: readonly string[]): string | undefined {
  const bare = logLine(row, swa);
  return written.find((l) => l.startsWith(bare) && /^ *[\d.]*$/.test(l.slice(bare.length)));
}

/**
 * The lines of the rows of a resumed run. The times come from the lines that the run has written before,
 * where those say the same of their epoch.
 */
export function resumedLog(rows: readonly LogRow[], swa: boolean, earlier: string): string[] {
  const written = earlier.split('\n');
  return rows.flatMap((row) => {
    const line = writtenLine(row, swa, written) ?? logLine(row, swa);
    return [...(hasHeader(row) ? logHeader(row, swa) : []), line];
  });
}

/** The seconds that a log gives for each row; undefined where its line is missing or has no time. */
export function loggedSeconds(
  rows: readonly LogRow[],
  swa: boolean,
  log: string,
): (number | undefined)[] {
  const written = log.split('\n');
  return rows.map((row) => {
    const time = writtenLine(row, swa, written)?.slice(logLine(row, swa).length).trim();
    return time === undefined || time === '' ? undefined : Number(time);
  });
}
