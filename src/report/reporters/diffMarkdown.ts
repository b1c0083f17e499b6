import { passed } from '../../align/judge/verdict.ts';
import { shortNumber } from '../../shortNumber.ts';
import { allOf, counted } from '../../words.ts';
import {
  alikeFailures,
  allPassed,
  calledAs,
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
import { clipped, markdownCode, markdownTable, markdownText } from '../markdown.ts';
import { computedOn, roundingOf, roundingsOf } from '../rounding.ts';

/** GitHub's limit for a comment. */
const mostCharacters = 65_536;
const shown = 20;
const longest = { name: 120, words: 300, cell: 160 } as const;

const code = (text: string, most: number = longest.name): string =>
  markdownCode(clipped(text, most));
const words = (text: string): string => markdownText(clipped(text, longest.words));

/** `all 10 stages passed`, `2 of 10 stages failed, 1 not judged` */
export function headline(reports: readonly DiffReport[]): string {
  const stages = reports.flatMap(({ results }) => results);
  const failed = stages.filter((s) => !s.passed).length;
  const unjudged = notJudged(reports).length;
  const but = unjudged === 0 ? '' : `, ${unjudged} not judged`;
  if (allPassed(reports)) return `${allOf(stages.length, 'stage')} passed${but}`;
  return failed === 0
    ? `a trace diverges${but}`
    : `${failed} of ${counted(stages.length, 'stage')} failed${but}`;
}

const stageTable = (reports: readonly DiffReport[]): string[] =>
  markdownTable(
    [
      { title: 'model' },
      { title: 'stage' },
      { title: '' },
      { title: 'checked', align: 'right' },
      { title: 'failed', align: 'right' },
      { title: 'closest to its limit' },
      { title: 'seconds', align: 'right' },
    ],
    reports.flatMap((report) =>
      report.results.map((result) => [
        code(modelOf(report)),
        result.stage,
        result.passed ? '✅ passed' : '❌ failed',
        String(result.verdicts.length),
        String(result.verdicts.filter((v) => !passed(v)).length),
        markdownText(clipped(closestOf(result.verdicts) ?? '–', longest.cell)),
        result.seconds.toFixed(1),
      ]),
    ),
  );

function firstDivergences(reports: readonly DiffReport[]): string[] {
  return reports.flatMap((report) => {
    const row = report.trace?.rows[report.trace.firstDivergence ?? -1];
    return row === undefined
      ? []
      : [
          `**First divergence** in ${code(modelOf(report))}: the ${row.kind} ${code(row.name)} of ${code(row.layer)}.`,
          '',
        ];
  });
}

/** What a list of `n` leaves out, of which it shows `told`. */
const more = (n: number, told = shown): string[] =>
  n > told ? [`- … and ${n - told} more, in \`diff.html\``] : [];

function failureLines(failures: readonly Failure[]): string[] {
  if (failures.length === 0) return [];
  const told = alikeFailures(failures);
  return [
    `### ${counted(failures.length, 'failure')}`,
    '',
    ...told.slice(0, shown).map(({ first: { model, part, name, why }, all }) => {
      const others = all.length > 1 ? ` and ${all.length - 1} more` : '';
      return `- ${code(model)} ${part}: ${code(name)}${others}: ${words(why)}`;
    }),
    ...more(failures.length, told.slice(0, shown).flatMap(({ all }) => all).length),
    '',
  ];
}

function overrideLines(reports: readonly DiffReport[]): string[] {
  const used = reports.flatMap(overridesOf);
  if (used.length === 0) return [];
  const lines = used
    .slice(0, shown)
    .map(
      ({ model, part, name, limit, reason }) =>
        `- ${code(model)} ${part}: ${code(name)}, limit ${shortNumber(limit)}: ${words(reason)}`,
    );
  return ['### Limits set by hand', '', ...lines, ...more(used.length), ''];
}

function notJudgedLines(reports: readonly DiffReport[]): string[] {
  const lines = notJudged(reports).map(
    ({ model, stage, why }) => `- ${code(model)} ${stage}: ${words(why)}`,
  );
  if (lines.length === 0) return [];
  return ['### Not judged', '', ...lines.slice(0, shown), ...more(lines.length), ''];
}

/** The device, and by how much it rounds otherwise than PyTorch did; for the head of what tells it stage by stage. */
function roundingHead(reports: readonly DiffReport[]): string {
  const all = roundingOf(reports.flatMap(({ results }) => results.flatMap((r) => r.verdicts)));
  if (all === undefined) return '';
  const numbers = `${shortNumber(all.median)} × PyTorch's own error in the median, ${shortNumber(all.worst)} at worst`;
  return `Rounding of ${words(computedOn(reports))}: ${numbers}`;
}

function roundingLines(reports: readonly DiffReport[]): string[] {
  const all = roundingsOf(reports);
  if (all.length === 0) return [];
  const right = { align: 'right' } as const;
  return [
    "Error to PyTorch's float64 in units of PyTorch's own float32 error on the same tensor (its largest in several orders of summation, where few elements are held); 1 rounds alike.",
    '',
    ...markdownTable(
      [
        { title: 'model' },
        { title: 'stage' },
        { title: 'tensors', ...right },
        { title: 'median', ...right },
        { title: 'worst', ...right },
        { title: 'in' },
        { title: 'error there', ...right },
        { title: "PyTorch's", ...right },
      ],
      all.map(({ model, stage, tensors, median, worst, tensor, error }) => [
        code(model),
        stage,
        String(tensors),
        shortNumber(median),
        shortNumber(worst),
        code(tensor),
        error === undefined ? '' : shortNumber(error.ours),
        error === undefined ? '' : shortNumber(error.pytorch),
      ]),
    ),
  ];
}

const details = (summary: string, lines: readonly string[]): string[] =>
  lines.length === 0
    ? []
    : ['<details>', `<summary>${summary}</summary>`, '', ...lines, '', '</details>', ''];

const noteLines = (reports: readonly DiffReport[]): string[] =>
  reports.flatMap((report) => [
    ...(report.trace?.notes ?? []).map(
      (note) => `- ${code(modelOf(report))} trace: ${words(note)}`,
    ),
    ...report.results.flatMap(({ stage, notes }) =>
      notes.map((note) => `- ${code(modelOf(report))} ${stage}: ${words(note)}`),
    ),
  ]);

function provenanceLines(reports: readonly DiffReport[], { time, command }: RunFacts): string[] {
  return [
    `- ${command === undefined ? '' : `${code(command, longest.words)}, `}${time.toISOString()}`,
    ...reports.map(
      (report) =>
        `- ${code(modelOf(report))}: ${words(report.provenance.ours)} against ${words(report.provenance.theirs)}; ${words(
          Object.entries(report.versions)
            .map(([program, version]) => `${program} ${version}`)
            .join(', '),
        )}`,
    ),
    '',
    ...markdownTable(
      [{ title: 'file' }, { title: 'SHA-256' }, { title: 'used by' }],
      filesOf(reports).map(({ path, sha256, users }) => [
        code(path),
        code(sha256),
        words(users.join(', ')),
      ]),
    ),
  ];
}

/** Whole sections as long as they fit; the first ones tell the most. */
function withinLimit(sections: readonly (readonly string[])[]): string {
  const rest = '\n… the rest is in `diff.html`.\n';
  let text = '';
  for (const section of sections) {
    if (section.length === 0) continue;
    const next = `${section.join('\n')}\n`;
    if (text.length + next.length + rest.length >= mostCharacters) return text + rest;
    text += next;
  }
  return text;
}

/** A run in Markdown for a comment on a pull request or a job's summary: under 65,536 characters, whatever the run. */
export function diffMarkdown(reports: readonly DiffReport[], facts: RunFacts): string {
  const failures = reports.flatMap(failuresOf);
  return withinLimit([
    [`## ${allPassed(reports) ? '✅' : '❌'} ${calledAs(facts)}: ${headline(reports)}`, ''],
    firstDivergences(reports),
    failureLines(failures),
    [...stageTable(reports), ''],
    notJudgedLines(reports),
    overrideLines(reports),
    details(roundingHead(reports), roundingLines(reports)),
    details('Notes', noteLines(reports)),
    details('Where the numbers come from', provenanceLines(reports, facts)),
  ]);
}
