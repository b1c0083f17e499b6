import type { Tensor } from '../../tensor/tensor.ts';
import type { RelativeRule } from '../judge/expectation.ts';
import { errorOfPyTorch } from '../judge/float64.ts';
import { judge } from '../judge/judge.ts';
import { type Limit, limitBeside, type Unit, unitOf } from '../judge/limits.ts';
import type { Override } from '../judge/overrides/overrides.ts';
import { type Flip, passed, type Verdict } from '../judge/verdict.ts';
import type { TraceRecord } from '../reference/traceRecords.ts';
import type { Proof } from './evidence.ts';
import type { LayerAlone } from './layersAlone.ts';
import type { PlannedRow } from './plan.ts';
import type { TraceError, TraceRow, TraceState } from './trace.ts';

/** Everything that is known about one tensor of the traced step. */
export interface RowEvidence {
  readonly planned: PlannedRow;
  readonly ours: Tensor;
  readonly record: TraceRecord;
  readonly proof: Proof;
  /** The whole truth, where it is known. */
  readonly truth?: Tensor;
  /** What its layer gives by itself; absent where the layer's inputs are not known. */
  readonly alone?: LayerAlone;
  /** Nothing it is computed from is off. */
  readonly inputsAgree: boolean;
  /** Nor is anything before it. */
  readonly allBeforeAgree: boolean;
  /** The upper bound on any error. */
  readonly bar: number;
  readonly override?: Override;
  /** The truth with our flipped decisions imposed, and these. */
  readonly imposed?: { readonly truth: Tensor; readonly flips: readonly Flip[] };
}

const errorIn = (unit: Unit, ours: number, pytorch: number): TraceError => ({
  ours,
  pytorch,
  ratio: ours / unit.value,
});

/** The limit beside PyTorch's own error, or what an override says. */
function limitOf(unit: Unit, { bar, override }: RowEvidence): Limit {
  return override === undefined
    ? limitBeside(unit, bar)
    : { value: override.limit, why: `set by hand: ${override.reason}` };
}

/** How far off a tensor is, judged by what may pass. */
const judged = (name: string, found: Tensor, rule: Omit<RelativeRule, 'kind'>): Verdict =>
  judge({ recording: new Map([[name, found]]) }, [{ name, rule: { kind: 'relative', ...rule } }])
    .verdicts[0];

const errorOf = ({ checks }: Verdict): number => checks[0].value;

/** One tensor, and its layer by itself, as the judge finds them. */
export function judgeRow(evidence: RowEvidence): TraceRow {
  const { planned, ours, record: traced, proof, truth, alone, imposed } = evidence;
  const { kind, layer, name } = planned;
  const { record, scale } = traced;
  const scaled = scale && { scale };
  const row = { kind, layer, name, shape: ours.shape, sampled: record.moments !== undefined };

  const { own, unit } = errorOfPyTorch(record, scale?.value);
  const limit = limitOf(unit, evidence);
  const whole = judged(name, ours, { record, ...(truth && { truth }), ...scaled, limit });
  if (whole.problem !== undefined) return { ...row, state: 'missing', problem: whole.problem };

  const addedUnit = traced.added === undefined ? unit : unitOf(traced.added);
  const addedLimit = limitOf(addedUnit, evidence);
  const byLayer =
    alone && judged(name, alone.ours, { truth: alone.truth, ...scaled, limit: addedLimit });
  const state = ((): TraceState => {
    // A graph that does not repeat PyTorch's float64 on PyTorch's inputs is wrong in this very layer.
    if (byLayer !== undefined && !(proof.proven && passed(byLayer))) return 'diverges';
    if (passed(whole)) return 'agrees';
    if (imposed !== undefined) {
      const bar = { value: Math.max(limit.value, evidence.bar), why: limit.why };
      const explained = judged(name, ours, { truth: imposed.truth, ...scaled, limit: bar });
      if (passed(explained)) return 'flipped';
    }
    // Near the limit an error can pass it on the way; but where all before agrees, nobody left it.
    const heir = byLayer === undefined ? !evidence.inputsAgree : !evidence.allBeforeAgree;
    return heir ? 'inherits' : 'diverges';
  })();
  return {
    ...row,
    state,
    error: errorIn(unit, errorOf(whole), own),
    ...(byLayer && { added: errorIn(addedUnit, errorOf(byLayer), traced.added ?? own) }),
    limit,
    ...(byLayer && { addedLimit }),
    ...(whole.distances && { distances: whole.distances }),
    ...(evidence.override && { override: appliedOverride(evidence.override) }),
    ...(state === 'flipped' && imposed && { flips: imposed.flips }),
    ...(byLayer && !proof.proven && { problem: wrongGraphText(proof) }),
  };
}

const appliedOverride = ({ tensor: pattern, limit, reason }: Override) => ({
  tensor: pattern,
  limit,
  reason,
});

const wrongGraphText = ({ error, problem }: Proof): string =>
  `the float64 oracle on our graph ${
    problem ?? `is ${error?.toExponential(1)} from PyTorch's float64`
  }: the mistake is in the graph, its adjoints or its weights, not in the backend`;

/** A tensor the reference holds and our model does not compute. */
export const unknownRow = (name: string, { record }: TraceRecord): TraceRow => {
  const gradient = name.endsWith('.grad');
  const output = name.endsWith('.output.grad');
  return {
    kind: output ? 'output gradient' : gradient ? 'weight gradient' : 'output',
    layer: name.replace(/(\.output)?\.grad$/, ''),
    name,
    shape: record.truth.shape,
    sampled: record.moments !== undefined,
    state: 'missing',
    problem: 'the reference holds it, our model does not compute it',
  };
};
