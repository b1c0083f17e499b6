import type { Arrays } from './numpy/arrays.ts';
import { partLike } from './part.ts';
import { unwrapped } from './torch/wrappers.ts';

/** The same arrays without what had wrapped a model on one side only. */
function unwrappedLike(arrays: Arrays, other: Arrays): Arrays {
  const { tensors, notes } = unwrapped(arrays.tensors, [...other.tensors.keys()]);
  return { ...arrays, tensors: new Map(tensors), notes: [...arrays.notes, ...notes] };
}

/** Where one side is a part of the other, which. */
function withPartHint(arrays: Arrays, other: Arrays): Arrays {
  const part = partLike([...arrays.tensors.keys()], [...other.tensors.keys()]);
  if (part === undefined) return arrays;
  const hint = `the part '${part}' has the other's keys: --key ${part} compares that`;
  return { ...arrays, notes: [...arrays.notes, hint] };
}

/** Two files of arrays under names as alike as what wrapped a model allows; notes say what was taken off. */
export function alike(a: Arrays, b: Arrays): [Arrays, Arrays] {
  const first = withPartHint(unwrappedLike(a, b), b);
  return [first, withPartHint(unwrappedLike(b, a), a)];
}
