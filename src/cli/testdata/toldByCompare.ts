/** How a line of the log begins. */
export const logStamp = /^\[\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\] root INFO: /gm;

/** What `compare` printed for people behind the log, line by line. */
export const toldByCompare = (printed: readonly string[]): string[] =>
  printed
    .join('')
    .split(/diff check (?:passed|failed)\n\n/)[1]
    .trimEnd()
    .split('\n');
