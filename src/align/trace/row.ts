import { type Tensor, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { errorsOf } from '../judge/float64.ts';
import { type Limit, limitBeside, type Unit, unitOf } from '../judge/limits.ts';
import type { Override } from '../judge/overrides.ts';
import type { Flip } from '../judge/verdict.ts';
import { distances } from '../measure/distance.ts';
import { relativeError } from '../measure/relativeError.ts';
import { asRecorded } from '../reference/recorded.ts';
import type { TraceRecord } from '../reference/traceRecords.ts';
import { notComparable, type Proof } from './evidence.ts';
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
  /** The error its layer adds by itself; absent where the layer's inputs are not known. */
  readonly alone?: number;
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

/** Judges one tensor, and its layer by itself. */
export function judgeRow(evidence: RowEvidence): TraceRow {
  const { planned, ours, record: traced, proof, truth, alone, imposed } = evidence;
  const { record, scale } = traced;
  const row = {
    kind: planned.kind,
    layer: planned.layer,
    name: planned.name,
    shape: ours.shape,
    sampled: record.moments !== undefined,
  };
  const problem = notComparable(ours, traced);
  if (problem !== undefined) return { ...row, state: 'missing', problem };

  const picked = asRecorded(ours, record);
  const { ours: seen, pytorch: own, unit } = errorsOf(picked, record, scale?.value);
  // The whole tensor where the truth is known whole: what a sample cannot show counts too.
  const whole = truth === undefined ? 0 : relativeError(ours, truth, scale?.value);
  const error = errorIn(unit, Math.max(seen, whole), own);
  const limit = limitOf(unit, evidence);
  const addedUnit = traced.added === undefined ? unit : unitOf(traced.added);
  const added = alone === undefined ? undefined : errorIn(addedUnit, alone, traced.added ?? own);
  const addedLimit = added === undefined ? undefined : limitOf(addedUnit, evidence);
  const within = error.ours <= limit.value;
  const explained =
    imposed !== undefined &&
    relativeError(ours, imposed.truth, scale?.value) <= Math.max(limit.value, evidence.bar);
  // A graph that does not repeat PyTorch's float64 on PyTorch's inputs is wrong in this very layer.
  const wrongGraph = !proof.proven && added !== undefined;
  const addsOwn =
    added !== undefined && addedLimit !== undefined && !(added.ours <= addedLimit.value);
  const state = ((): TraceState => {
    if (wrongGraph || addsOwn) return 'diverges';
    if (within) return 'agrees';
    if (explained) return 'flipped';
    // Near the limit an error can pass it on the way; but where all before agrees, nobody left it.
    const heir = added === undefined ? !evidence.inputsAgree : !evidence.allBeforeAgree;
    return heir ? 'inherits' : 'diverges';
  })();
  return {
    ...row,
    state,
    error,
    ...(added === undefined ? {} : { added }),
    limit,
    ...(addedLimit === undefined ? {} : { addedLimit }),
    distances: distances(tensor('float32', picked.shape, toFloat32(picked)), record.pytorch),
    ...(evidence.override === undefined ? {} : { override: appliedOverride(evidence.override) }),
    ...(state === 'flipped' && imposed !== undefined ? { flips: imposed.flips } : {}),
    ...(wrongGraph ? { problem: wrongGraphText(proof) } : {}),
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
