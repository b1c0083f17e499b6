import * as util from 'node:util';
import { foldedLine } from './folding.ts';

/** By FORCE_COLOR and NO_COLOR as Node understands them, else where a terminal has colours. */
function hasColours(stream: Pick<NodeJS.WriteStream, 'isTTY'>): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no } = process.env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

type Format = Parameters<typeof util.styleText>[0];

/** What a line begins with, and how it looks then: the mark alone, or the whole line. */
const styles: readonly { mark: RegExp; format: Format; whole: boolean }[] = [
  { mark: /^\s*✓(?= )/, format: 'green', whole: false },
  { mark: /^\d+ tensors? aligned with/, format: 'green', whole: false },
  { mark: /^all \d+ stages? passed/, format: 'green', whole: false },
  { mark: /^\s*✗(?= )/, format: 'red', whole: true },
  { mark: /^failed: /, format: 'red', whole: true },
  { mark: /^\s*~(?= )/, format: 'yellow', whole: false },
  { mark: /^\s*·(?= )/, format: 'dim', whole: true },
];

function paintedLine(line: string): string {
  const style = styles.find(({ mark }) => mark.test(line));
  if (style === undefined) return line;
  // We have looked at the stream. Node 20 has not always had this.
  const paint = (text: string): string =>
    util.styleText?.(style.format, text, { validateStream: false }) ?? text;
  return style.whole ? paint(line) : line.replace(style.mark, paint);
}

/** Text for people, its verdicts in colour where `stream` shows colours, its lines folded where `columns` end. */
export function painted(
  text: string,
  stream: Pick<NodeJS.WriteStream, 'isTTY'>,
  columns = Number.POSITIVE_INFINITY,
): string {
  const folded = text.split('\n').map((line) => foldedLine(line, columns).join('\n'));
  return (hasColours(stream) ? folded.map(paintedLine) : folded).join('\n');
}
