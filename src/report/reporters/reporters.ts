import type { DiffReport, RunFacts } from '../diffReport.ts';
import { stageSummary } from '../diffSummary.ts';
import { diffHtml } from './diffHtml.ts';
import { diffJson } from './diffJson.ts';
import { diffLog } from './diffLog.ts';
import { diffMarkdown } from './diffMarkdown.ts';
import { githubAnnotations } from './githubAnnotations.ts';
import { junitXml } from './junit.ts';
import { traceTable } from './traceTable.ts';

/** One way to tell of a run, as a text. */
export interface Reporter {
  /** What it is for, as `--help` says it. */
  readonly what: string;
  readonly render: (reports: readonly DiffReport[], facts: RunFacts) => string;
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

/** Every way to tell of a run; all ask `failuresOf` what failed. */
export const reporters = {
  terminal: {
    what: 'what the terminal shows',
    render: (reports) =>
      lines(
        reports.flatMap(({ provenance, results, trace }) => [
          `${provenance.ours} against ${provenance.theirs}`,
          ...results.flatMap(stageSummary),
          ...(trace === undefined ? [] : traceTable(trace)),
        ]),
      ),
  },
  log: {
    what: "every check, in reprod_log's format",
    render: (reports, { time }) =>
      reports
        .flatMap(({ results, provenance }) => results.map((r) => diffLog(r, provenance, time)))
        .join(''),
  },
  json: { what: 'everything, machine-readable', render: diffJson },
  junit: { what: 'JUnit XML for a CI server', render: junitXml },
  markdown: { what: 'for a pull request', render: diffMarkdown },
  html: { what: 'one page that needs nothing beside it', render: diffHtml },
  annotations: {
    what: "lines that GitHub's runner shows beside the code",
    render: (reports) => lines(githubAnnotations(reports)),
  },
} as const satisfies Readonly<Record<string, Reporter>>;

export type ReporterName = keyof typeof reporters;

export const reporterNames = Object.keys(reporters) as readonly ReporterName[];
