/** What is written to: standard error, or a stand-in. */
export interface LineOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A line as long as the terminal allows: several say the same, the longest first. */
export type Line = string | readonly string[];

/**
 * What a program is at: on a terminal a line that renews itself at its foot, elsewhere a plain line now and
 * then.
 */
export interface LiveLine {
  /** Something begins that may last: told at once; a terminal counts its seconds. */
  begin(what: Line): void;
  /** How far it is, as often as it is known. */
  show(line: Line): void;
  /** Something to be kept. */
  say(line: string): void;
  /** Takes the moving line away, so that something else can be printed. */
  clear(): void;
}

const secondsBetweenPlainLines = 10;
const secondsBetweenRedraws = 0.1;
const usualColumns = 80;

/** The longest that leaves the last column free, where a terminal would wrap; the shortest cut off if need be. */
function fitting(line: Line, columns: number): string {
  const lines = typeof line === 'string' ? [line] : line;
  return (
    lines.find(({ length }) => length < columns) ?? lines[lines.length - 1].slice(0, columns - 1)
  );
}

const withSeconds = (line: Line, seconds: number): Line => {
  const ended = (text: string) => `${text} …${seconds < 1 ? '' : ` ${Math.floor(seconds)} s`}`;
  return typeof line === 'string' ? ended(line) : line.map(ended);
};

/** `now` in seconds. */
export function openLiveLine(
  out: LineOutput,
  now: () => number = () => performance.now() / 1000,
): LiveLine {
  let lastShown = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let timer: NodeJS.Timeout | undefined;
  const isTerminal = (): boolean => out.isTTY === true;
  const erase = (): void => {
    if (drawn) out.write('\r\x1b[K');
    drawn = false;
  };
  const put = (line: Line): void => {
    lastShown = now();
    if (isTerminal()) {
      erase();
      out.write(fitting(line, out.columns ?? usualColumns));
      drawn = true;
    } else {
      out.write(`${fitting(line, Number.POSITIVE_INFINITY)}\n`);
    }
  };
  const clear = (): void => {
    clearInterval(timer);
    erase();
    lastShown = isTerminal() ? Number.NEGATIVE_INFINITY : now();
  };
  return {
    clear,
    begin(what) {
      clear();
      const from = now();
      put(withSeconds(what, 0));
      // What comes next on a terminal is newer than this.
      if (!isTerminal()) return;
      lastShown = Number.NEGATIVE_INFINITY;
      timer = setInterval(() => put(withSeconds(what, now() - from)), 1000).unref();
    },
    show(line) {
      const seconds = isTerminal() ? secondsBetweenRedraws : secondsBetweenPlainLines;
      if (now() - lastShown < seconds) return;
      clearInterval(timer);
      put(line);
    },
    say(line) {
      clear();
      out.write(`${line}\n`);
    },
  };
}

let mute = false;

/** Keeps this process from saying what it is at: among several that train together, one says it for all. */
export const leaveTelling = (): void => {
  mute = true;
};

/** The line of this process, on standard error. */
export const live = openLiveLine({
  get isTTY() {
    return process.stderr.isTTY;
  },
  get columns() {
    return process.stderr.columns;
  },
  write: (text) => mute || process.stderr.write(text),
});
