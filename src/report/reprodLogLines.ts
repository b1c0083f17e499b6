import type { Check } from '../align/judge/verdict.ts';
import { pythonFloat } from './pythonFloat.ts';

const pad = (n: number): string => String(n).padStart(2, '0');

const stamp = (t: Date): string =>
  `${t.getFullYear()}/${pad(t.getMonth() + 1)}/${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;

/** Lines as Python's logging writes them for reprod_log, local time before each. */
export const logText = (lines: readonly string[], time: Date): string =>
  lines.map((line) => `[${stamp(time)}] root INFO: ${line}\n`).join('');

/** reprod_log's line about one measure of one key, below the line that names the key. */
export const verdictLine = ({ method, passed, value }: Check): string =>
  `\t${method} diff: check passed: ${passed ? 'True' : 'False'}, value: ${pythonFloat(value)}`;
