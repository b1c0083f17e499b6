import { GraphError } from '../errors.ts';
import type { Node } from '../ir/node.ts';
import type { Program } from '../program/program.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import type { DeviceState, DeviceTensor } from './backend.ts';

/** Throws GraphError when an input is missing, superfluous, or of another shape than declared. */
export function checkInputs(program: Program, inputs: TensorMap): void {
  for (const [name, node] of program.inputs) {
    const fed = inputs.get(name);
    if (fed === undefined) throw new GraphError(`${program.name}: input ${name} is missing`);
    if (!sameShape(fed.shape, node.shape)) {
      throw new GraphError(
        `${program.name}: input ${name} is ${formatShape(fed.shape)}, declared ${formatShape(node.shape)}`,
      );
    }
  }
  for (const name of inputs.keys()) {
    if (!program.inputs.has(name))
      throw new GraphError(`${program.name}: no input is called ${name}`);
  }
}

/** Throws GraphError when what is fetched cannot be written to where `into` says. */
export function checkInto(program: Program, into: TensorMap, inputs: TensorMap): void {
  const fed = [...inputs].filter(([, { data }]) => data.buffer instanceof SharedArrayBuffer);
  for (const [name, { dtype, shape, data }] of into) {
    const node = program.fetches.get(name);
    const over = fed.find(([, t]) => overlap(t.data, data));
    const fits = dtype === 'float32' && node?.dtype === 'float' && sameShape(shape, node.shape);
    const why =
      node === undefined
        ? 'is none of its fetches'
        : !fits
          ? `is ${node.dtype} ${formatShape(node.shape)}, the memory for it ${dtype} ${formatShape(shape)}`
          : over && `would be written over input ${over[0]}`;
    if (why) throw new GraphError(`${program.name}: what is fetched as ${name} ${why}`);
  }
}

const overlap = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  a.buffer === b.buffer &&
  a.byteOffset < b.byteOffset + b.byteLength &&
  b.byteOffset < a.byteOffset + a.byteLength;

/** The state value of a slot. Throws GraphError when it is missing or of another shape. */
export function stateValue(
  program: Program,
  state: DeviceState,
  slot: Node<'input'>,
): DeviceTensor {
  const { name } = slot.params;
  const value = state.get(name);
  if (value === undefined) throw new GraphError(`${program.name}: state ${name} is missing`);
  if (!sameShape(value.shape, slot.shape)) {
    throw new GraphError(
      `${program.name}: state ${name} is ${formatShape(value.shape)}, declared ${formatShape(slot.shape)}`,
    );
  }
  return value;
}
