import type { Program } from '../../program/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tensor, zeros } from '../../tensor/tensor.ts';

/**
 * Room for what a run fetches: floats one behind the other in one piece of memory, in the order in which they are
 * fetched, so that ranks can exchange many gradients at once where they lie.
 */
export function fetchRoom(program: Program, names: Iterable<string>): Map<string, Tensor> {
  const nodes = [...names].map((name) => [name, program.fetches.get(name)!] as const);
  const floats = nodes.filter(([, { dtype }]) => dtype === 'float');
  const all = new Float32Array(floats.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0));
  let at = 0;
  return new Map(
    nodes.map(([name, { dtype, shape }]): [string, Tensor] => {
      if (dtype === 'int') return [name, zeros('int64', shape)];
      const from = at;
      at += sizeOf(shape);
      return [name, tensor('float32', shape, all.subarray(from, at))];
    }),
  );
}
