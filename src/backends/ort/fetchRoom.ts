import type { Program } from '../../program/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, zeros } from '../../tensor/tensor.ts';
import { takeOver } from '../givenAway.ts';

/** By its size, memory that lies ready for a run which fetches as much; sizes come from earlier runs. */
const spare = new Map<number, ArrayBuffer | undefined>();

/** New memory comes in pages that the first write must wait for: from here on it is kept. */
const worthKeeping = 1 << 20;

function memoryOf(bytes: number): ArrayBuffer {
  const kept = spare.get(bytes);
  if (bytes >= worthKeeping) spare.set(bytes, undefined);
  return kept ?? new ArrayBuffer(bytes);
}

/** After a run: memory that was given away with its inputs, and has the size of what an earlier one fetched, is kept. */
export function keepForFetches(inputs: TensorMap): void {
  for (const { data } of inputs.values()) {
    const { buffer } = data;
    if (!(buffer instanceof ArrayBuffer && spare.has(buffer.byteLength))) continue;
    if (takeOver(buffer)) spare.set(buffer.byteLength, buffer);
  }
}

/**
 * Room for what a run fetches: floats one behind the other in one piece of memory, in the order in which they are
 * fetched, so that ranks can exchange many gradients at once where they lie.
 */
export function fetchRoom(program: Program, names: Iterable<string>): Map<string, Tensor> {
  const nodes = [...names].map((name) => [name, program.fetches.get(name)!] as const);
  const floats = nodes.filter(([, { dtype }]) => dtype === 'float');
  const all = new Float32Array(
    memoryOf(4 * floats.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)),
  );
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
