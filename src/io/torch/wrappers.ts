import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { quoted } from '../numpy/arrays.ts';

/** What wrappers put into every name below them: DataParallel and AveragedModel, torch.compile. */
const segments: readonly string[] = ['module', '_orig_mod'];
/** What programs put before all of them, mostly by being a module that holds the model. */
const prefixes: readonly string[] = ['model.', 'net.'];
/** AveragedModel's count of models. */
const COUNT = 'n_averaged';

const withoutSegments = (name: string): string =>
  name
    .split('.')
    .filter((part) => !segments.includes(part))
    .join('.');

/** The names without what wrappers added, and what that was. */
function bare(names: readonly string[]): { names: string[]; taken: string[] } {
  const taken = segments
    .map((part) => `${part}.`)
    .filter((part) => names.some((name) => `.${name}`.includes(`.${part}`)));
  let found = names.map(withoutSegments);
  for (const prefix of prefixes) {
    if (!found.every((name) => name.startsWith(prefix))) continue;
    found = found.map((name) => name.slice(prefix.length));
    taken.push(prefix);
  }
  return { names: found, taken };
}

export interface Unwrapped {
  readonly tensors: TensorMap;
  /** What was taken off and left out, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Weights under the names of a model, whatever wrapped it when they were saved: `module.`, `_orig_mod.` and
 * `model.` are taken off if every name in `wanted` is there then, and no two become one. Otherwise they stay as
 * they are.
 */
export function unwrapped(tensors: TensorMap, wanted: readonly string[]): Unwrapped {
  if (wanted.every((name) => tensors.has(name))) return { tensors, notes: [] };
  const names = [...tensors.keys()].filter((name) => name !== COUNT);
  const { names: found, taken } = bare(names);
  const fitting = new Map(found.map((name, i): [string, Tensor] => [name, tensors.get(names[i])!]));
  if (fitting.size < names.length || !wanted.every((name) => fitting.has(name))) {
    return { tensors, notes: [] };
  }
  const count = tensors.has(COUNT) ? [`'${COUNT}' is left out: no weight`] : [];
  return {
    tensors: fitting,
    notes: [`${quoted(taken)} removed from the names of the weights`, ...count],
  };
}
