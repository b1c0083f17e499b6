import { piece } from '../../program/piece.ts';
import type { Program } from '../../program/program.ts';
import { type StepTensor, stepOrder } from '../../program/stepOrder.ts';

/** One tensor of a training step and the layer, or the layer's adjoint, that computes it. */
export interface PlannedRow extends StepTensor {
  /** Computes this tensor alone, from the layer outputs and output gradients it depends on first. */
  readonly alone: Program;
  /** Those outputs and gradients. */
  readonly reads: readonly string[];
}

/** Every tensor of a training step in the order in which it is computed; see `stepOrder`. */
export function tracePlan(program: Program): PlannedRow[] {
  const tensors = stepOrder(program);
  const values = tensors.flatMap(({ kind, name }) => (kind === 'weight gradient' ? [] : [name]));
  return tensors.map((tensor) => {
    const alone = piece(program, [tensor.name], values);
    const reads = [...alone.inputs.keys()].filter((input) => program.fetches.has(input));
    return { ...tensor, alone, reads };
  });
}
