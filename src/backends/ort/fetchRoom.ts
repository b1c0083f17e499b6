import type { Program } from '../../program/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, zeros } from '../../tensor/tensor.ts';

/**
 * Room for what a run fetches: in `into` where that has the name, else floats one behind the other in one piece of
 * memory, in the order in which they are fetched, so that ranks can exchange many gradients at once where they lie.
 */
export function fetchRoom(
  program: Program,
  names: Iterable<string>,
  into: TensorMap = new Map(),
): Map<string, Tensor> {
  const nodes = [...names].map((name) => [name, program.fetches.get(name)!] as const);
  const floats = nodes.filter(([name, { dtype }]) => dtype === 'float' && !into.has(name));
  const all = new Float32Array(floats.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0));
  let at = 0;
  return new Map(
    nodes.map(([name, { dtype, shape }]): [string, Tensor] => {
      const given = into.get(name);
      if (given !== undefined) return [name, given];
      if (dtype === 'int') return [name, zeros('int64', shape)];
      const from = at;
      at += sizeOf(shape);
      return [name, tensor('float32', shape, all.subarray(from, at))];
    }),
  );
}
