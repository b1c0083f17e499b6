import { median, speedAgainst, type Timing } from './measure.ts';

const head = ['batch', 'who', 'ms a step', 'images/s'];

/** So many decimals, or the two first digits of what they would not show. */
const decimals = (x: number, places: number): string =>
  x >= 10 ** (1 - places) ? x.toFixed(places) : x.toPrecision(2);

/** Cells of the table: one row a contestant and batch size, speeds as multiples of `peer`'s. */
export function tableRows(timings: readonly Timing[], peer: string | undefined): string[][] {
  const rows = timings.map((timing): string[] => {
    const begin = [String(timing.batch), timing.name];
    const blanks = peer === undefined ? [] : ['', ''];
    if (timing.failed !== undefined) return [...begin, 'failed', '', ...blanks];
    const time = median(timing.times);
    const cells = [
      ...begin,
      time.toFixed(time < 100 ? 2 : 0),
      decimals((1000 * timing.batch) / time, 1),
    ];
    const against = timings.find(({ name, batch }) => name === peer && batch === timing.batch);
    if (against === undefined || against.failed !== undefined) return [...cells, ...blanks];
    const speed = speedAgainst(timing, against);
    const range = `${decimals(speed.least, 2)}–${decimals(speed.most, 2)}`;
    return [...cells, decimals(speed.median, 2), range];
  });
  return [peer === undefined ? head : [...head, `speed × ${peer}`, 'range'], ...rows];
}

/** One line for everybody who failed. */
export const failures = (timings: readonly Timing[]): string[] =>
  timings.flatMap(({ name, batch, failed }) =>
    failed === undefined ? [] : [`${name}, batch ${batch}: ${failed.split('\n')[0]}`],
  );

/** The rows as a Markdown table, columns as wide as their cells. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}
