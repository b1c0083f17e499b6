import { rowPassed } from '../align/trace.ts';
import { passed } from '../align/verdict.ts';
import { type DiffReport, modelOf, type RunFacts, rowWords } from './diffReport.ts';
import { whyFailed } from './whyFailed.ts';
import { element, escapeXml } from './xml.ts';

interface Case {
  readonly name: string;
  /** Undefined where it passed. */
  readonly failure?: { readonly message: string; readonly type: string };
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Empty suites count as a success with most readers: a stage that checked nothing becomes a case that failed. */
const orNothing = (cases: readonly Case[]): readonly Case[] =>
  cases.length > 0
    ? cases
    : [{ name: '(nothing)', failure: { message: 'nothing was checked', type: 'not measured' } }];

function suitesOf(report: DiffReport): Suite[] {
  const model = modelOf(report);
  const { ours, theirs } = report.provenance;
  const properties = { ours, theirs, ...report.versions };
  const stages = report.results.map(({ stage, verdicts, seconds, notes }) => ({
    name: `${model}.${stage}`,
    seconds,
    notes,
    properties,
    cases: orNothing(
      verdicts.map((verdict) => ({
        name: verdict.name,
        ...(passed(verdict)
          ? {}
          : {
              failure: {
                message: whyFailed(verdict),
                type: verdict.checks.find((c) => !c.passed)?.method ?? 'not measured',
              },
            }),
      })),
    ),
  }));
  if (report.trace === undefined) return stages;
  const { rows, notes } = report.trace;
  const cases = rows.map((row) => ({
    name: `${row.kind}: ${row.name}`,
    ...(!rowPassed(row)
      ? { failure: { message: rowWords(row) || `the ${row.kind} ${row.state}`, type: row.state } }
      : {}),
  }));
  return [
    ...stages,
    { name: `${model}.trace`, seconds: 0, notes, properties, cases: orNothing(cases) },
  ];
}

const countFailed = (cases: readonly Case[]): number =>
  cases.filter(({ failure }) => failure !== undefined).length;

const counts = (suites: readonly Suite[]) => ({
  tests: String(suites.reduce((sum, { cases }) => sum + cases.length, 0)),
  failures: String(suites.reduce((sum, { cases }) => sum + countFailed(cases), 0)),
  errors: '0',
  time: suites.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
});

const inner = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`;

const caseXml = (suite: string, { name, failure }: Case): string =>
  element(
    'testcase',
    { classname: `swa-align.${suite}`, name },
    failure && element('failure', { ...failure }, escapeXml(`${name}: ${failure.message}`)),
  );

function suiteXml(suite: Suite, timestamp: string): string {
  const { name, notes, cases, properties } = suite;
  const facts = Object.entries(properties).map(([key, value]) =>
    element('property', { name: key, value }),
  );
  return element(
    'testsuite',
    { name, ...counts([suite]), skipped: '0', timestamp },
    inner([
      element('properties', {}, inner(facts)),
      ...cases.map((c) => caseXml(name, c)),
      ...(notes.length === 0 ? [] : [element('system-out', {}, escapeXml(notes.join('\n')))]),
    ]),
  );
}

/**
 * A run as JUnit XML, the dialect that Jenkins, GitLab and GitHub's actions read: a suite a stage, a case a
 * tensor. A stage's seconds are its suite's; single cases have none.
 */
export function junitXml(reports: readonly DiffReport[], { time }: RunFacts): string {
  const suites = reports.flatMap(suitesOf);
  const timestamp = time.toISOString().slice(0, 19);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'testsuites',
    { name: 'swa-align diff', ...counts(suites) },
    inner(suites.map((suite) => suiteXml(suite, timestamp))),
  )}\n`;
}
