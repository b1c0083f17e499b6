/** A run told layer by layer: what each one's result is worth, and which one went wrong first. */
import type { StepTensor } from '../../program/stepOrder.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Flip } from '../judge/verdict.ts';
import type { Distances } from '../measure/distance.ts';

/** Relative L2 errors to the float64 truth, and ours over PyTorch's. */
export interface TraceError {
  readonly ours: number;
  readonly pytorch: number;
  readonly ratio: number;
}

export type TraceState =
  | 'agrees'
  | 'flipped' // differs, and no more than the named flips explain
  | 'inherits' // differs, but adds nothing of its own to what its inputs bring
  | 'diverges' // differs by its own doing
  | 'missing'; // could not be measured; `problem` says why

/** One tensor of a run. Rows are in execution order: forward, then backward. */
export interface TraceRow extends StepTensor {
  readonly shape: Shape;
  /** True where the reference holds a sample of the tensor. */
  readonly sampled: boolean;
  readonly state: TraceState;
  /** Error it has at the end of everything before it. */
  readonly error?: TraceError;
  /** Error the layer alone adds, run on the reference's inputs. */
  readonly added?: TraceError;
  /** Largest error that passes, and why it is that. */
  readonly limit?: { readonly value: number; readonly why: string };
  /** The same for what the layer adds. */
  readonly addedLimit?: { readonly value: number; readonly why: string };
  /** The limit set by hand that applied, and its reason. */
  readonly override?: { readonly tensor: string; readonly limit: number; readonly reason: string };
  /** Ours to PyTorch's float32. */
  readonly distances?: Distances;
  readonly flips?: readonly Flip[];
  /** Why it is missing, or what the oracle says of a layer that diverges. */
  readonly problem?: string;
}

export interface Trace {
  readonly model: string;
  readonly rows: readonly TraceRow[];
  /** Index into `rows` of the first that diverges or is missing. */
  readonly firstDivergence?: number;
  readonly notes: readonly string[];
}

/** Agrees, or differs by no more than named flips explain. */
export const rowPassed = ({ state }: TraceRow): boolean =>
  state === 'agrees' || state === 'flipped';

/** A trace without rows shows nothing and does not pass. */
export const tracePassed = ({ rows }: Trace): boolean => rows.length > 0 && rows.every(rowPassed);

/** The rows of a run with the first that errs by its own doing, or could not be measured, marked. */
export function traceOf(model: string, rows: readonly TraceRow[], notes: readonly string[]): Trace {
  const first = rows.findIndex(({ state }) => state === 'diverges' || state === 'missing');
  return { model, rows, ...(first < 0 ? {} : { firstDivergence: first }), notes };
}
