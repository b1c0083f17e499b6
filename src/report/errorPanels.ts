import { type Check, passed, type Verdict } from '../align/judge/verdict.ts';
import type { StageResult } from '../align/stages/stage.ts';
import type { Trace, TraceRow, TraceState } from '../align/trace/trace.ts';
import type { StepTensorKind } from '../program/stepOrder.ts';
import { shortNumber } from '../shortNumber.ts';
import type { ErrorPanel, ErrorPoint, PointMark } from './chart/errorPanel.ts';
import type { DiffReport } from './diffReport.ts';

const panelTitles: { readonly [K in StepTensorKind]: string } = {
  output: 'Outputs, forward',
  'output gradient': 'Gradients of outputs, backward',
  'weight gradient': 'Gradients of weights, backward',
};

const marks: { readonly [S in TraceState]: PointMark | undefined } = {
  agrees: undefined,
  flipped: 'flipped',
  inherits: 'inherits',
  diverges: 'diverges',
  missing: 'diverges',
};

/** `step1/features.0.weight.grad` → `features.0.weight`: the panel's title says which gradients these are. */
const axisName = (name: string): string =>
  name.replace(/^step\d+\//, '').replace(/(\.output)?\.grad$/, '');

function words(name: string, facts: readonly (readonly [string, number | undefined])[]): string {
  const known = facts.flatMap(([what, value]) =>
    value === undefined ? [] : [`${what} ${shortNumber(value)}`],
  );
  return [name, ...known].join('\n');
}

function pointOfRow({ name, state, error, added, limit, problem }: TraceRow): ErrorPoint {
  const mark = marks[state];
  return {
    name: axisName(name),
    ...(error && { ours: error.ours, pytorch: error.pytorch }),
    ...(added && { added: added.ours }),
    ...(limit && { limit: limit.value }),
    ...(mark && { mark }),
    words: `${words(name, [
      ['ours', error?.ours],
      ["PyTorch's", error?.pytorch],
      ['the layer adds', added?.ours],
      ['limit', limit?.value],
    ])}\n${problem ?? state}`,
  };
}

/** A panel a kind of tensor; the first divergence is marked where it lies. */
export function tracePanels({ rows, firstDivergence }: Trace): ErrorPanel[] {
  return (Object.keys(panelTitles) as StepTensorKind[]).flatMap((kind) => {
    const indices = [...rows.keys()].filter((i) => rows[i].kind === kind);
    if (indices.length === 0) return [];
    const first = firstDivergence === undefined ? -1 : indices.indexOf(firstDivergence);
    return [
      {
        title: panelTitles[kind],
        points: indices.map((i) => pointOfRow(rows[i])),
        ...(first < 0 ? {} : { first }),
      },
    ];
  });
}

/** The error at which one of a tensor's checks would begin to fail. */
function limitOf(verdict: Verdict, { value, threshold }: Check): number {
  const ratio = verdict.checks.find(({ method }) => method === 'ratio');
  const unit = ratio === undefined ? 0 : value / ratio.value;
  return unit > 0 && ratio !== undefined ? Math.min(threshold, ratio.threshold * unit) : threshold;
}

/** Errors to float64, and nothing else, are comparable from tensor to tensor. */
function pointOfVerdict(verdict: Verdict, name: string): ErrorPoint[] {
  const { problem } = verdict;
  const check = verdict.checks.find(
    ({ method }) => method === 'relative l2' || method === 'scaled',
  );
  if (check === undefined && problem === undefined) return [];
  return [
    {
      name: axisName(name),
      ...(check && { ours: check.value, limit: limitOf(verdict, check) }),
      ...(check?.pytorch !== undefined && { pytorch: check.pytorch }),
      ...(passed(verdict)
        ? {}
        : { mark: verdict.inherits === undefined ? 'diverges' : 'inherits' }),
      words: `${words(name, [
        ['ours', check?.value],
        ["PyTorch's", check?.pytorch],
        ['limit', check && limitOf(verdict, check)],
      ])}${problem === undefined ? '' : `\n${problem}`}`,
    },
  ];
}

function panel(title: string, points: readonly ErrorPoint[]): ErrorPanel[] {
  if (points.length === 0) return [];
  const first = points.findIndex(({ mark }) => mark === 'diverges');
  return [{ title, points, ...(first < 0 ? {} : { first }) }];
}

const gradient = /^iter(\d+)\/(.+\.grad)$/;

/** What the forward and backward stages say of single layers, for a run without a trace. */
export function stagePanels(results: readonly StageResult<string>[]): ErrorPanel[] {
  const verdictsOf = (stage: string): readonly Verdict[] =>
    results.find((r) => r.stage === stage)?.verdicts ?? [];
  const outputs = verdictsOf('forward').filter(
    ({ name }) => name !== 'initial weights' && name !== 'logits',
  );
  const byIteration = new Map<string, ErrorPoint[]>();
  for (const verdict of verdictsOf('backward')) {
    const [, iteration, name] = gradient.exec(verdict.name) ?? [];
    if (name === undefined) continue;
    const points = byIteration.get(iteration) ?? [];
    points.push(...pointOfVerdict(verdict, name));
    byIteration.set(iteration, points);
  }
  return [
    ...panel(
      panelTitles.output,
      outputs.flatMap((verdict) => pointOfVerdict(verdict, verdict.name)),
    ),
    ...[...byIteration].flatMap(([iteration, points]) =>
      panel(`${panelTitles['weight gradient']}, step ${Number(iteration) + 1}`, points),
    ),
  ];
}

/** What a port's tensors say, in the panels that they belong to. */
export function portPanels(
  results: readonly StageResult<string>[],
  titles: ReadonlyMap<string, string>,
): ErrorPanel[] {
  const byTitle = new Map<string, ErrorPoint[]>();
  for (const verdict of results.flatMap(({ verdicts }) => verdicts)) {
    const title = titles.get(verdict.name);
    if (title === undefined) continue;
    const points = byTitle.get(title) ?? [];
    points.push(...pointOfVerdict(verdict, verdict.name));
    byTitle.set(title, points);
  }
  return [...byTitle].flatMap(([title, points]) => panel(title, points));
}

export function errorPanels({ trace, results, panels }: DiffReport): ErrorPanel[] {
  if (trace !== undefined) return tracePanels(trace);
  return panels === undefined ? stagePanels(results) : portPanels(results, panels);
}
