import { InputError } from '../errors.ts';
import { unwrapped } from '../io/torch/wrappers.ts';
import type { Weights } from '../io/weights.ts';
import type { Module, StateSpec } from '../nn/module.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { type DType, type Tensor, type TensorMap, tensor, toFloat32 } from '../tensor/tensor.ts';
import { firstFew } from '../words.ts';
import { isBatchName } from './batchNames.ts';
import { nonFiniteAt } from './health/finite.ts';

/** PyTorch's counter beside a batch norm's running statistics; nothing here reads it. */
const counterOf = (runningVar: string): string =>
  runningVar.replace(/running_var$/, 'num_batches_tracked');

/** Whether it is such a counter's name. */
export const isCounter = (name: string): boolean => name.endsWith('.num_batches_tracked');

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

export interface WeightsWanted {
  /** Of every tensor; any floats where it is not said. */
  readonly dtype?: DType;
  /** What a reader can do about weights that do not fit. */
  readonly fix?: string;
}

/** Why a tensor is none of the model's, or undefined. */
function misfit(found: Tensor, { name, shape }: StateSpec, dtype?: DType): string | undefined {
  if (!sameShape(found.shape, shape)) {
    return `${name} is ${formatShape(found.shape)}, the model's ${formatShape(shape)}`;
  }
  const fits = dtype === undefined ? found.dtype.startsWith('float') : found.dtype === dtype;
  return fits ? undefined : `${name} is ${found.dtype}, not ${dtype ?? 'float'}`;
}

/**
 * A file's tensors as the model's weights and buffers. Throws InputError, naming file and tensors, when
 * some are missing, superfluous, of another shape or dtype, or hold NaN or infinity. Counters are left out.
 */
export function modelWeights(
  model: Module,
  tensors: TensorMap,
  where: string,
  { dtype, fix = 'name the weights of this very model, or another --model' }: WeightsWanted = {},
): TensorMap {
  const known = new Set(model.state.map(({ name }) => name));
  const missing = [...known].filter((name) => !tensors.has(name));
  const extra = [...tensors.keys()].filter((name) => !known.has(name) && !isCounter(name));
  const names = [
    ...(missing.length === 0 ? [] : [`lacks ${firstFew(missing)}`]),
    ...(extra.length === 0 ? [] : [`holds ${firstFew(extra)}, which the model has not`]),
  ];
  if (names.length > 0) throw new InputError(names.join(' and '), { where, fix });
  const misfits = model.state.flatMap((spec) => misfit(tensors.get(spec.name)!, spec, dtype) ?? []);
  if (misfits.length > 0) throw new InputError(firstFew(misfits), { where, fix });
  for (const name of known) {
    const at = nonFiniteAt(tensors.get(name)!);
    if (at === undefined) continue;
    throw new InputError(`${name} holds NaN or infinity (element ${at})`, {
      where,
      fix: 'name weights that are whole',
    });
  }
  return new Map([...known].map((name) => [name, tensors.get(name)!]));
}

export interface FittedWeights {
  readonly weights: TensorMap;
  /** What was chosen, left out or taken off the names, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The weights of a file as the model's, whatever had wrapped it when they were saved; what `batches` writes beside them
 * is left out. See `modelWeights`.
 */
export function fittedWeights(
  model: Module,
  { tensors, notes }: Pick<Weights, 'tensors' | 'notes'>,
  where: string,
  wanted: WeightsWanted = {},
): FittedWeights {
  const batches = [...tensors.keys()].filter(isBatchName);
  const left = new Set(batches);
  const bare = unwrapped(
    new Map([...tensors].filter(([name]) => !left.has(name))),
    model.state.map(({ name }) => name),
  );
  return {
    weights: modelWeights(model, bare.tensors, where, wanted),
    notes: [
      ...notes,
      ...(batches.length === 0
        ? []
        : [`${firstFew(batches)} left out: no weights, but what steps see`]),
      ...bare.notes,
    ],
  };
}
