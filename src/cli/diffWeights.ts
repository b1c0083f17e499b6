import type { Reference } from '../align/reference.ts';
import { readWeights } from '../io/weights.ts';
import { unwrapped } from '../io/wrappers.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import type { CliContext } from './context.ts';

/** The weights of `--weights`, under the names of the reference's model, and what was done to get them said. */
export function diffWeights(
  path: string | undefined,
  { model }: Reference,
  context: Pick<CliContext, 'print'>,
): TensorMap | undefined {
  if (path === undefined) return undefined;
  const saved = readWeights(path);
  const { tensors, notes } = unwrapped(
    saved.tensors,
    model.state.map(({ name }) => name),
  );
  for (const note of [...saved.notes, ...notes]) context.print(`${path}: ${note}`);
  return tensors;
}
