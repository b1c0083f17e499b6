import { type DecisionsApart, describeFlips } from '../branches/flips.ts';
import type { Proof } from './evidence.ts';
import type { TraceRow } from './trace.ts';

const short = (x: number): string => x.toExponential(1);

interface TraceFindings {
  readonly rows: readonly TraceRow[];
  readonly proofs: ReadonlyMap<string, Proof>;
  readonly apart: DecisionsApart;
  readonly weightsAgree: boolean;
}

/** What a reader of a trace should know beside its rows. */
export function notesOn({ rows, proofs, apart, weightsAgree }: TraceFindings): string[] {
  const notes: string[] = [];
  if (!weightsAgree) notes.push('the initial weights are not those of the reference');
  const unproven = [...proofs].find(([, { proven }]) => !proven);
  if (unproven === undefined) {
    const worst = Math.max(...[...proofs.values()].map(({ error }) => error ?? 0));
    notes.push(
      `the float64 oracle repeats all ${proofs.size} of PyTorch's float64 tensors, to ${short(worst)} at worst: where ours differs, it is the backend`,
    );
  } else {
    notes.push(
      `from ${unproven[0]} on, the float64 oracle on our graph does not repeat PyTorch's float64: the graph, an adjoint or a weight is wrong there; what later layers add is only known where their inputs are`,
    );
  }
  const worst = rows.reduce<TraceRow | undefined>(
    (a, b) => ((b.error?.ratio ?? 0) > (a?.error?.ratio ?? 0) ? b : a),
    undefined,
  );
  if (worst?.error !== undefined) {
    notes.push(
      `worst error in units of PyTorch's own: ${worst.error.ratio.toFixed(1)} (${worst.name})`,
    );
  }
  const { flips, beyond } = apart;
  if (flips.length > 0) {
    notes.push(`rounding took ${flips.length} decisions the other way: ${describeFlips(flips)}`);
  }
  if (beyond.length > 0) {
    notes.push(
      `${beyond.length} decisions differ beyond rounding, which excuses nothing: ${describeFlips(beyond)}`,
    );
  }
  return notes;
}
