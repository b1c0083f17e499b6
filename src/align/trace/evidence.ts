import type { Backend } from '../../backends/backend.ts';
import { holding } from '../../backends/holding.ts';
import { leavingState, type Program } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { byFloat64 } from '../judge/float64.ts';
import { tolerances } from '../judge/tolerances.ts';
import { passed } from '../judge/verdict.ts';
import type { TraceRecord } from '../reference/traceRecords.ts';

/** How far the oracle's tensor is from PyTorch's float64, and whether they are the same. */
export interface Proof {
  readonly proven: boolean;
  readonly error?: number;
  readonly problem?: string;
}

export function proofOf(found: Tensor, { record, scale }: TraceRecord): Proof {
  const tolerance = { relativeL2: tolerances.oracle, ...(scale && { scale }) };
  const { finding } = byFloat64(found, { kind: 'float64', record, tolerance });
  const { problem, checks } = finding;
  return {
    proven: passed(finding),
    ...(problem === undefined ? {} : { problem }),
    ...(checks.length === 0 ? {} : { error: checks[0].value }),
  };
}

/** Runs a training step once, from the given weights, without its update, and gives everything that is asked for. */
export const runOnce = (
  backend: Backend,
  program: Program,
  fetches: readonly string[],
  { weights, feeds }: { readonly weights: TensorMap; readonly feeds: TensorMap },
): Promise<TensorMap> =>
  holding(backend, leavingState(program), fetches, weights, (held) => held.run(feeds));
