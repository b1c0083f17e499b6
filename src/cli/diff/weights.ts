import type { Reference } from '../../align/reference/reference.ts';
import { readWeights } from '../../io/weights.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { fittedWeights } from '../../train/stateDict.ts';
import type { CliContext } from '../context.ts';

/**
 * The weights of `--weights`, under the names of the reference's model, and what was done to get them said. Throws
 * InputError where they are not that model's float32 weights.
 */
export function diffWeights(
  path: string | undefined,
  { model }: Reference,
  context: Pick<CliContext, 'print'>,
): TensorMap | undefined {
  if (path === undefined) return undefined;
  const { weights, notes } = fittedWeights(model, readWeights(path), path, { dtype: 'float32' });
  for (const note of notes) context.print(`${path}: ${note}`);
  return weights;
}
