import { InputError } from '../errors.ts';
import type { Weights } from '../io/weights.ts';
import { unwrapped } from '../io/wrappers.ts';
import type { Module } from '../nn/module.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../tensor/tensor.ts';
import { nonFiniteAt } from './finite.ts';

/** PyTorch's counter beside a batch norm's running statistics; nothing here reads it. */
const counterOf = (runningVar: string): string =>
  runningVar.replace(/running_var$/, 'num_batches_tracked');

const isCounter = (name: string): boolean => name.endsWith('.num_batches_tracked');

/**
 * A model's weights and buffers as `state_dict()` names and orders them, each batch norm's
 * `num_batches_tracked` included, so that PyTorch loads them strictly.
 */
export function stateDict(model: Module, values: TensorMap, batchesTracked: number): TensorMap {
  const dict = new Map<string, Tensor>();
  for (const { name, role } of model.state) {
    dict.set(name, values.get(name)!);
    if (role === 'buffer' && name.endsWith('.running_var')) {
      dict.set(counterOf(name), tensor('int64', [], BigInt64Array.of(BigInt(batchesTracked))));
    }
  }
  return dict;
}

/** The same in float32, whatever a backend computes in. */
export const asFloat32 = (tensors: TensorMap): TensorMap =>
  new Map(
    [...tensors].map(([name, t]): [string, Tensor] => [
      name,
      t.dtype === 'int64' ? t : tensor('float32', t.shape, toFloat32(t)),
    ]),
  );

/**
 * A file's tensors as the model's weights and buffers. Throws InputError, naming file and tensor, when
 * one is missing, superfluous, of another shape, or holds no floats, NaN or infinity.
 */
export function modelWeights(model: Module, tensors: TensorMap, where: string): TensorMap {
  const unfit = (what: string): InputError =>
    new InputError(what, { where, fix: 'name the weights of this very model, or another --model' });
  const weights = new Map<string, Tensor>();
  for (const { name, shape } of model.state) {
    const found = tensors.get(name);
    if (found === undefined) throw unfit(`holds no ${name}`);
    if (!sameShape(found.shape, shape)) {
      throw unfit(`${name} is ${formatShape(found.shape)}, the model's ${formatShape(shape)}`);
    }
    if (!found.dtype.startsWith('float')) throw unfit(`${name} is ${found.dtype}, not float`);
    const at = nonFiniteAt(found);
    if (at !== undefined) {
      throw new InputError(`${name} holds NaN or infinity (element ${at})`, {
        where,
        fix: 'name weights that are whole',
      });
    }
    weights.set(name, found);
  }
  for (const name of tensors.keys()) {
    if (!weights.has(name) && !isCounter(name)) throw unfit(`${name} is no part of the model`);
  }
  return weights;
}

export interface FittedWeights {
  readonly weights: TensorMap;
  /** What was chosen, left out or taken off the names, a sentence each. */
  readonly notes: readonly string[];
}

/** The weights of a file as the model's, whatever had wrapped it when they were saved; see `modelWeights`. */
export function fittedWeights(
  model: Module,
  { tensors, notes }: Pick<Weights, 'tensors' | 'notes'>,
  where: string,
): FittedWeights {
  const bare = unwrapped(
    tensors,
    model.state.map(({ name }) => name),
  );
  return {
    weights: modelWeights(model, bare.tensors, where),
    notes: [...notes, ...bare.notes],
  };
}
