import { passed } from '../../align/judge/verdict.ts';
import { rowPassed, tracePassed } from '../../align/trace/trace.ts';
import { counted } from '../../words.ts';
import { type Alike, causeWords } from '../causes.ts';
import {
  alikeFailures,
  type DiffReport,
  type Failure,
  failuresOf,
  filesOf,
  modelOf,
  notJudged,
  overridesOf,
  type RunFacts,
} from '../diffReport.ts';
import { closestOf } from '../diffSummary.ts';
import { computedOn, roundingsOf } from '../rounding.ts';
import { cellNumber, outcomeWords } from './cells.ts';
import { type Html, html } from './html.ts';
import { type Row, tableHtml } from './table.ts';
import { layerWordsOf, tensorName } from './tensorName.ts';

/** The first thing that went wrong in each model, in a sentence. */
function firstSentences(reports: readonly DiffReport[]): Html[] {
  return reports.flatMap((report) => {
    const row = report.trace?.rows[report.trace.firstDivergence ?? -1];
    const model = modelOf(report);
    if (row !== undefined) {
      const words = layerWordsOf(row.layer, report.layers);
      return [
        html`<p><strong>${model}</strong> first diverges at layer <code>${row.layer}</code>${words && ` (${words})`}: the ${row.kind} <code>${row.name}</code>.</p>`,
      ];
    }
    const [first] = failuresOf(report);
    return first === undefined
      ? []
      : [
          html`<p><strong>${model}</strong> first fails in ${first.part}: <code>${first.name}</code>, ${first.cause ? first.numbers : first.why}.</p>`,
        ];
  });
}

/** What the mistakes are, each once with the tensors that it explains. */
const causesOf = (failures: readonly Alike<Failure>[]): Html[] =>
  failures.flatMap(({ first, all }) => {
    if (first.cause === undefined) return [];
    const others = all.length > 1 && ` and ${all.length - 1} more`;
    return [
      html`<p><strong>${first.model}</strong> ${first.part}: <code>${first.name}</code>${others}: ${causeWords(first)}</p>`,
    ];
  });

/** What failed, before anything else. */
export function failuresSection(
  reports: readonly DiffReport[],
  failures: readonly Failure[],
): Html | undefined {
  if (failures.length === 0) return undefined;
  const told = alikeFailures(failures);
  const firsts = new Map(
    told.flatMap(({ first, all }) => all.slice(1).map((failure) => [failure, first.name] as const)),
  );
  const layers = new Map(reports.map((report) => [modelOf(report), report.layers]));
  return html`<section aria-labelledby="failures">
<h2 id="failures">${counted(failures.length, 'failure')}</h2>
<div class="callout">${causesOf(told)}${firstSentences(reports)}</div>
${tableHtml({
  id: 'failure-table',
  caption: 'What failed, and why',
  columns: [
    { title: 'Tensor' },
    { title: 'Model' },
    { title: 'Stage' },
    { title: 'Why', long: true },
  ],
  rows: failures.map((failure) => {
    const { name, model, part, why, numbers } = failure;
    const first = firsts.get(failure);
    return {
      cells: [
        tensorName(name, layers.get(model) ?? new Map()),
        model,
        part,
        first === undefined ? why : `as ${first}; ${numbers}`,
      ],
    };
  }),
  tools: true,
})}</section>
`;
}

function summaryRows(report: DiffReport): Row[] {
  const model = modelOf(report);
  const stages = report.results.map(({ stage, verdicts, seconds, ...result }): Row => {
    const failed = verdicts.filter((v) => !passed(v)).length;
    const exact = verdicts.filter((v) => v.checks.some(({ method }) => method === 'equal')).length;
    const outcome = result.passed ? 'passed' : 'failed';
    return {
      outcome,
      cells: [
        `${model} ${stage}`,
        outcomeWords[outcome],
        verdicts.length,
        exact,
        failed,
        closestOf(verdicts) ?? '',
        seconds.toFixed(1),
      ],
    };
  });
  if (report.trace === undefined) return stages;
  const { rows } = report.trace;
  const failed = rows.filter((row) => !rowPassed(row)).length;
  const outcome = tracePassed(report.trace) ? 'passed' : 'failed';
  return [
    ...stages,
    { outcome, cells: [`${model} trace`, outcomeWords[outcome], rows.length, 0, failed, '', ''] },
  ];
}

export const summarySection = (
  reports: readonly DiffReport[],
): Html => html`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
${tableHtml({
  id: 'summary-table',
  caption: 'Stages of every model',
  columns: [
    { title: 'Stage' },
    { title: 'Result' },
    { title: 'Checked', numeric: true },
    { title: 'To the bit', numeric: true },
    { title: 'Failed', numeric: true },
    { title: 'Closest to its limit', long: true },
    { title: 'Seconds', numeric: true },
  ],
  rows: reports.flatMap(summaryRows),
})}</section>
`;

/** By how much the device that computed rounds otherwise than PyTorch did. */
export function roundingSection(reports: readonly DiffReport[]): Html | undefined {
  const all = roundingsOf(reports);
  if (all.length === 0) return undefined;
  return html`<section aria-labelledby="rounding">
<h2 id="rounding">Rounding</h2>
<p>Computed by ${computedOn(reports)}. Errors to PyTorch in float64 are given in units of PyTorch’s own float32 error on the same tensor (its largest in several orders of summation, where few elements are held): 1 rounds alike; fused multiply-adds and another order of sums move it either way.</p>
${tableHtml({
  id: 'rounding-table',
  caption: 'Our error in units of PyTorch’s own, by stage',
  columns: [
    { title: 'Stage' },
    { title: 'Tensors', numeric: true },
    { title: 'Median', numeric: true },
    { title: 'Worst', numeric: true },
    { title: 'Worst tensor' },
    { title: 'Its error', numeric: true },
    { title: 'PyTorch’s own', numeric: true },
  ],
  rows: all.map(({ model, stage, tensors, median, worst, tensor, error }) => ({
    cells: [
      `${model} ${stage}`,
      tensors,
      cellNumber(median),
      cellNumber(worst),
      tensor,
      cellNumber(error?.ours),
      cellNumber(error?.pytorch),
    ],
  })),
})}</section>
`;
}

/** Stages that the reference was recorded without, in plain sight: a run that passes says nothing of them. */
export function notJudgedSection(reports: readonly DiffReport[]): Html | undefined {
  const left = notJudged(reports);
  if (left.length === 0) return undefined;
  return html`<section aria-labelledby="not-judged">
<h2 id="not-judged">Not judged</h2>
${tableHtml({
  id: 'not-judged-table',
  caption: 'Stages that the reference was recorded without',
  columns: [{ title: 'Stage' }, { title: 'Model' }, { title: 'Why', long: true }],
  rows: left.map(({ model, stage, why }) => ({ cells: [stage, model, why] })),
})}</section>
`;
}

/** Limits that somebody moved, and their reasons, in plain sight. */
export function overridesSection(reports: readonly DiffReport[]): Html | undefined {
  const used = reports.flatMap(overridesOf);
  if (used.length === 0) return undefined;
  return html`<section aria-labelledby="overrides">
<h2 id="overrides">Limits set by hand</h2>
${tableHtml({
  id: 'override-table',
  caption: 'Judged by another limit than usual',
  columns: [
    { title: 'Tensor' },
    { title: 'Model' },
    { title: 'Stage' },
    { title: 'Limit', numeric: true },
    { title: 'Reason', long: true },
  ],
  rows: used.map(({ name, model, part, limit, reason }) => ({
    cells: [name, model, part, cellNumber(limit), reason],
  })),
})}</section>
`;
}

export const provenanceSection = (
  reports: readonly DiffReport[],
  { time, command }: RunFacts,
): Html => {
  return html`<section aria-labelledby="provenance">
<h2 id="provenance">Where the numbers come from</h2>
<dl>
${command !== undefined && html`<dt>Command</dt><dd><code>${command}</code></dd>`}
<dt>Finished</dt><dd><time datetime="${time.toISOString()}">${time.toISOString().replace('T', ' ').slice(0, 19)} UTC</time></dd>
${reports.map(
  (
    report,
  ) => html`<dt>${modelOf(report)}</dt><dd>${report.provenance.ours} against ${report.provenance.theirs}</dd>
<dt>Versions</dt><dd>${Object.entries(report.versions)
    .map(([program, version]) => `${program} ${version}`)
    .join(', ')}</dd>
`,
)}</dl>
${tableHtml({
  id: 'hash-table',
  caption: 'Inputs and recordings, by SHA-256',
  columns: [{ title: 'File' }, { title: 'SHA-256' }, { title: 'Used by', long: true }],
  rows: filesOf(reports).map(({ path, sha256, users }) => ({
    cells: [path, html`<span class="hash">${sha256}</span>`, users.join(', ')],
  })),
})}</section>
`;
};
