import { openGrowingFile } from '../../io/output/growingFile.ts';
import { epochLines, resumedLog } from '../../report/training/trainLog.ts';
import type { LogRow } from '../../train/logRow.ts';

/** `train_log.txt` as it grows. The only file of a run that holds clock times. */
export interface TrainLogFile {
  add(row: LogRow, seconds: number): void;
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Begins the log, or cuts it back to the rows that a resumed run has. */
export function openTrainLog(path: string, swa: boolean, rows: readonly LogRow[]): TrainLogFile {
  const file = openGrowingFile(path, (earlier) =>
    joined(resumedLog(rows, swa, rows.length > 0 ? earlier : '')),
  );
  return {
    add(row, seconds) {
      file.add(joined(epochLines(row, swa, seconds, Number.POSITIVE_INFINITY)));
    },
  };
}
