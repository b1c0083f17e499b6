import { readFileOrFail } from '../../io/readFile.ts';
import { type NamedProbes, parseNameMap, renamed } from '../../port/nameMap.ts';
import type { TensorMap } from '../../tensor/tensor.ts';

/** A recording under the names that a map's file gives it, where there is one. Throws InputError. */
export function mapped(tensors: TensorMap, map: string | undefined, to: NamedProbes): TensorMap {
  if (map === undefined) return tensors;
  const text = new TextDecoder().decode(readFileOrFail(map));
  return renamed(tensors, parseNameMap(text, map), to, map);
}
