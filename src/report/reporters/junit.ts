import {
  calledAs,
  type DiffReport,
  type Failure,
  failuresOf,
  modelOf,
  notJudged,
  type RunFacts,
} from '../diffReport.ts';
import { element, escapeXml } from '../xml.ts';

interface Case {
  readonly name: string;
  /** Undefined where it passed. */
  readonly failure?: { readonly message: string; readonly type: string };
  /** Why it was not judged. */
  readonly skipped?: string;
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** One thing that was judged, by its name among the failures. */
interface Listed {
  readonly name: string;
  readonly key: string;
  readonly type: string;
}

function suitesOf(report: DiffReport): Suite[] {
  const model = modelOf(report);
  const { ours, theirs } = report.provenance;
  const properties = { ours, theirs, ...report.versions };
  const failures = failuresOf(report);
  /** What failed is for `failuresOf` to say; what it names and nobody lists (nothing was checked) is a case too. */
  const casesOf = (part: Failure['part'], listed: readonly Listed[]): Case[] => {
    const failed = new Map(failures.filter((f) => f.part === part).map((f) => [f.name, f.why]));
    const unlisted = [...failed.keys()].filter((name) => !listed.some(({ key }) => key === name));
    return [...listed, ...unlisted.map((name) => ({ name, key: name, type: 'not measured' }))].map(
      ({ name, key, type }) => {
        const message = failed.get(key);
        return { name, ...(message !== undefined && { failure: { message, type } }) };
      },
    );
  };
  const stages = report.results.map(({ stage, verdicts, seconds, notes }) => ({
    name: `${model}.${stage}`,
    seconds,
    notes,
    properties,
    cases: casesOf(
      stage,
      verdicts.map(({ name, checks }) => ({
        name,
        key: name,
        type: checks.find((c) => !c.passed)?.method ?? 'not measured',
      })),
    ),
  }));
  const leftOut = notJudged([report]).map(({ stage, why }) => ({
    name: `${model}.${stage}`,
    seconds: 0,
    notes: [],
    properties,
    cases: [{ name: stage, skipped: why }],
  }));
  if (report.trace === undefined) return [...stages, ...leftOut];
  const { rows, notes } = report.trace;
  const cases = casesOf(
    'trace',
    rows.map(({ kind, name, state }) => ({ name: `${kind}: ${name}`, key: name, type: state })),
  );
  return [...stages, ...leftOut, { name: `${model}.trace`, seconds: 0, notes, properties, cases }];
}

const countOf = (what: 'failure' | 'skipped', cases: readonly Case[]): number =>
  cases.filter((c) => c[what] !== undefined).length;

const counts = (suites: readonly Suite[]) => ({
  tests: String(suites.reduce((sum, { cases }) => sum + cases.length, 0)),
  failures: String(suites.reduce((sum, { cases }) => sum + countOf('failure', cases), 0)),
  errors: '0',
  time: suites.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
});

const inner = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`;

const caseXml = (suite: string, { name, failure, skipped }: Case): string =>
  element(
    'testcase',
    { classname: `swa-align.${suite}`, name },
    skipped === undefined
      ? failure && element('failure', { ...failure }, escapeXml(`${name}: ${failure.message}`))
      : element('skipped', { message: skipped }),
  );

function suiteXml(suite: Suite, timestamp: string): string {
  const { name, notes, cases, properties } = suite;
  const facts = Object.entries(properties).map(([key, value]) =>
    element('property', { name: key, value }),
  );
  return element(
    'testsuite',
    { name, ...counts([suite]), skipped: String(countOf('skipped', cases)), timestamp },
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
export function junitXml(reports: readonly DiffReport[], facts: RunFacts): string {
  const suites = reports.flatMap(suitesOf);
  const timestamp = facts.time.toISOString().slice(0, 19);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'testsuites',
    { name: calledAs(facts), ...counts(suites) },
    inner(suites.map((suite) => suiteXml(suite, timestamp))),
  )}\n`;
}
