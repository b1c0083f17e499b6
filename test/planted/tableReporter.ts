import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** The test that plants nothing. */
export const cleanRun = 'every stage passes without a bug';

/** A bug's line of the table, as its test hands it over. */
export interface PlantedRow {
  readonly family: string;
  readonly name: string;
  readonly people: string;
  /** `vgg16 backward`; empty when no stage failed. */
  readonly stage: string;
  readonly at: string;
  readonly seconds: number;
}

declare module 'vitest' {
  interface TaskMeta {
    planted?: PlantedRow;
  }
}

const stageWidth = 18;
const nameWidth = 62;

const line = ({ name, stage, at, seconds }: PlantedRow, passed: boolean): string => {
  const verdict = passed ? 'caught' : stage === '' ? 'MISSED' : 'MISNAMED';
  return `${verdict.padEnd(9)}${name.padEnd(nameWidth)}${stage.padEnd(stageWidth)}${at}  (${seconds.toFixed(1)} s)`;
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The table as a page. */
export const markdown = (rows: readonly PlantedRow[]): string =>
  [
    '# Planted bugs',
    '',
    `\`npm run test:planted\` makes each of these ${rows.length} mistakes on our side, one at a time, and runs the stages of`,
    '`npm run diff` until one fails. *Named* is the layer, tensor or decision of the first check that failed.',
    '',
    ...[...new Set(rows.map((r) => r.family))].flatMap((family) => [
      `## ${family}`,
      '',
      '| mistake | what people do | caught by | named |',
      '| --- | --- | --- | --- |',
      ...rows
        .filter((r) => r.family === family)
        .map((r) => `| ${cell(r.name)} | ${cell(r.people)} | ${r.stage} | \`${r.at}\` |`),
      '',
    ]),
    `**${rows.length} of ${rows.length} caught.**`,
    '',
  ].join('\n');

/**
 * Prints a line a planted bug and how many were caught. When all of them were, the table is written to
 * reports/planted.md.
 */
export default class TableReporter implements Reporter {
  private root = process.cwd();
  private readonly rows: { readonly row: PlantedRow; readonly passed: boolean }[] = [];

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
      this.rows.push({ row, passed });
      console.log(line(row, passed));
    }
    for (const { message } of errors) console.log(`         ${message}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const { message } of module.errors()) console.log(message);
    }
    const caught = this.rows.filter(({ passed }) => passed).length;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const planted = tests.filter(
      (test) => test.name !== cleanRun && test.result().state !== 'skipped',
    ).length;
    if (caught > 0 && tests.every((test) => test.result().state === 'passed')) {
      const reports = join(this.root, 'reports');
      mkdirSync(reports, { recursive: true });
      writeFileSync(join(reports, 'planted.md'), markdown(this.rows.map((r) => r.row)));
    }
    console.log(`${caught} of ${planted} caught`);
  }
}
