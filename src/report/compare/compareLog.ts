import type { CompareOptions, Comparison } from '../../align/judge/compareRecordings.ts';
import { measureOf } from '../../align/measure/measures.ts';
import { printable } from '../../io/names.ts';
import { pythonFloat } from '../pythonFloat.ts';
import { methodMeaning } from '../reporters/diffLog.ts';
import { logText, verdictLine } from '../reprodLogLines.ts';

/** One of the two recordings, as the log names it. */
export interface ComparedFile {
  readonly path: string;
  readonly sha256: string;
}

/**
 * The log of a comparison. From the first key on it is reprod_log's own, to the letter, for everything that
 * could be measured; before that stand the files and the threshold, which reprod_log does not say.
 */
export function compareLog(
  { verdicts, notes, passed }: Comparison,
  [a, b]: readonly [ComparedFile, ComparedFile],
  { methods, threshold }: CompareOptions,
  time: Date,
): string {
  const lines = [
    `A: ${a.path} sha256 ${a.sha256}`,
    `B: ${b.path} sha256 ${b.sha256}`,
    ...methods.map(
      (method) =>
        `method: ${method} diff = ${methodMeaning[method]}; threshold ${pythonFloat(threshold ?? measureOf(method).usual)}`,
    ),
    ...notes.map((note) => `note: ${note}`),
    ...verdicts.flatMap(({ name, checks, problem }) => [
      `${printable(name)}: `,
      ...(problem === undefined ? [] : [`\tcheck passed: False, ${problem}`]),
      ...checks.map(verdictLine),
    ]),
    `diff check ${passed ? 'passed' : 'failed'}`,
  ];
  return logText(lines, time);
}
