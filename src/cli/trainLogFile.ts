import { appendFileSync, existsSync } from 'node:fs';
import { writeFileAtomic } from '../io/atomicFile.ts';
import { fileError } from '../io/fileError.ts';
import { readFileOrFail } from '../io/readFile.ts';
import { hasHeader, logHeader, logLine, resumedLog } from '../report/trainLog.ts';
import type { LogRow } from '../train/logRow.ts';

/** `train_log.txt` as it grows. The only file of a run that holds clock times. */
export interface TrainLogFile {
  /** Adds an epoch and gives back its lines. */
  add(row: LogRow, seconds: number): string[];
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Begins the log, or cuts it back to the rows that a resumed run has. */
export function openTrainLog(path: string, swa: boolean, rows: readonly LogRow[]): TrainLogFile {
  const earlier =
    rows.length > 0 && existsSync(path) ? new TextDecoder().decode(readFileOrFail(path)) : '';
  writeFileAtomic(path, new TextEncoder().encode(joined(resumedLog(rows, swa, earlier))));
  return {
    add(row, seconds) {
      const line = logLine(row, swa, seconds);
      const lines = hasHeader(row) ? [...logHeader(row, swa, seconds), line] : [line];
      append(path, joined(lines));
      return lines;
    },
  };
}

/** Adds text to a file. Throws InputError when the disk does not take it. */
export function append(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw fileError(path, error);
  }
}
