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

const lineOf = (columns: readonly Column[]): string =>
  columns
    .map((column) => aligned(column[1] ?? '', column))
    .join(gap)
    .trimEnd();

function headerOf(columns: readonly Column[]): string[] {
  const rule = columns.map((column) => '-'.repeat(widthOf(column))).join(gap);
  return [rule, columns.map((column) => aligned(column[0], column)).join(gap), rule];
}

/** An epoch's line; the time stays blank where nobody knows it any more. */
export const logLine = (row: LogRow, swa: boolean, seconds?: number): string =>
  lineOf(columnsOf(row, swa, seconds));

/** The three lines above an epoch's line: rule, titles, rule. */
export const logHeader = (row: LogRow, swa: boolean, seconds = 0): string[] =>
  headerOf(columnsOf(row, swa, seconds));

/** What a narrow terminal can do without, the first first: what remains tells how well the run does. */
const dispensable = ['swa_te_loss', 'te_loss', 'lr', 'time', 'tr_acc', 'te_acc'];

/** Wide enough for any row, so that all rows of a run lack the same columns. */
const widest = (row: LogRow, swa: boolean): Column[] =>
  columnsOf({ ...row, epoch: 999 }, swa, 99_999);

/** The columns' titles that a terminal has no room for. */
function noRoom(row: LogRow, swa: boolean, width: number): string[] {
  const fits = (left: readonly string[]): boolean =>
    headerOf(widest(row, swa).filter(([title]) => !left.includes(title)))[0].length <= width;
  const fewest = dispensable.findIndex((_, n) => fits(dispensable.slice(0, n)));
  return fewest < 0 ? dispensable : dispensable.slice(0, fewest);
}

/** An epoch's line for a terminal `width` columns wide, beneath the header where it is due. */
export function epochLines(row: LogRow, swa: boolean, seconds: number, width: number): string[] {
  const left = noRoom(row, swa, width);
  const columns = columnsOf(row, swa, seconds).filter(([title]) => !left.includes(title));
  return [...(hasHeader(row) ? headerOf(columns) : []), lineOf(columns)];
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
