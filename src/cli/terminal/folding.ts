/** Between two words, but not between a number and its unit. */
const breaks = / +(?!(?:s|ms|min|h|MiB|%|×)(?:\s|$))/g;

/** Commands that a message gives: broken, they could not be copied. */
const commands = /`[^`]*`|\bnp[mx] [^;]*/g;

/** Where a line may be broken: the blanks there. */
function placesIn(line: string): { index: number; length: number }[] {
  const whole = [...line.matchAll(commands)].map((m) => [m.index, m.index + m[0].length]);
  return [...line.matchAll(breaks)]
    .map((m) => ({ index: m.index, length: m[0].length }))
    .filter(({ index }) => isWord(line.slice(0, index).trim()))
    .filter(({ index }) => !whole.some(([from, to]) => index > from && index < to));
}

/** More than the mark that a line begins with. */
const isWord = (text: string): boolean => text.length > 1;

/** As a terminal shows it, a tab filling up to the next eight columns. */
const withoutTabs = (line: string): string => {
  const [first, ...parts] = line.split('\t');
  return parts.reduce((text, part) => text + ' '.repeat(8 - (text.length % 8)) + part, first);
};

const furtherIn = 2;

/** A line in pieces of at most `columns` characters: broken between words, each further piece indented more than the first. */
export function foldedLine(text: string, columns: number): string[] {
  if (columns === Number.POSITIVE_INFINITY) return [text];
  const line = withoutTabs(text);
  if (line.length <= columns) return [line];
  const own = line.length - line.trimStart().length;
  const indent = ' '.repeat(Math.min(own + furtherIn, Math.floor(columns / 2)));
  const pieces: string[] = [];
  let rest = line.trimEnd();
  while (rest.length > columns) {
    const places = placesIn(rest);
    const place = places.findLast(({ index }) => index <= columns) ?? places[0];
    // A path or a name that is longer than the terminal stays whole, to be copied.
    if (place === undefined) break;
    pieces.push(rest.slice(0, place.index));
    rest = indent + rest.slice(place.index + place.length);
  }
  return [...pieces, rest];
}

/** The columns of a stream that is a terminal; no end of them elsewhere, or where the terminal does not know. */
export const columnsOf = ({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number =>
  isTTY === true && columns ? columns : Number.POSITIVE_INFINITY;
