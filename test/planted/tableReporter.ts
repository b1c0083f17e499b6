import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { plantedPage } from './page.ts';
import { type PlantedRow, scoresOf } from './scores.ts';

/** The test that plants nothing. */
export const cleanRun = 'every stage passes without a bug';

declare module 'vitest' {
  interface TaskMeta {
    planted?: PlantedRow;
  }
}

const stageWidth = 22;
const nameWidth = 62;
const causeWords = { right: 'cause: ', wrong: 'WRONG CAUSE: ' } as const;

const line = (
  { name, stage, at, seconds, told, toldOf = '', cause }: PlantedRow,
  passed: boolean,
): string => {
  const verdict = passed ? 'caught' : stage === '' ? 'MISSED' : 'MISNAMED';
  const says =
    cause === undefined ? 'no cause' : `${causeWords[cause]}${told}${toldOf && ` (of ${toldOf})`}`;
  return `${verdict.padEnd(9)}${name.padEnd(nameWidth)}${stage.padEnd(stageWidth)}${at}  (${seconds.toFixed(1)} s)  ${says}`;
};

/**
 * Prints a line a planted bug, and how many were caught, named and explained. A run of them all must meet the goals of
 * scores.ts, and writes the table to reports/planted.md; where only some run, their own failures count.
 */
export default class TableReporter implements Reporter {
  private root = process.cwd();
  private readonly rows: PlantedRow[] = [];

  onInit(vitest: Vitest): void {
    this.root = vitest.config.root;
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state === 'skipped') return;
    const passed = state === 'passed';
    const row = test.meta().planted;
    if (row === undefined) {
      console.log(`${passed ? 'ok' : 'FAILED'}       ${test.name}`);
    } else {
      this.rows.push(row);
      console.log(line(row, passed));
    }
    for (const { message } of errors) console.log(`         ${message}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const { message } of module.errors()) console.log(message);
    }
    const scores = scoresOf(this.rows);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const planted = tests.filter(({ name }) => name !== cleanRun);
    const whole = planted.length > 0 && planted.length === this.rows.length;
    if (whole) {
      const reports = join(this.root, 'reports');
      mkdirSync(reports, { recursive: true });
      writeFileSync(join(reports, 'planted.md'), plantedPage(this.rows));
    }
    for (const { text, missed } of scores) {
      console.log(whole && missed !== undefined ? `${text}  MISSED, ${missed}` : text);
    }
    if (whole && scores.some(({ missed }) => missed !== undefined)) process.exitCode = 1;
  }
}
