import { join } from 'node:path';
import { initPlan, type Module } from '../../nn/module.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { modelWeights } from '../../train/stateDict.ts';
import type { Reference } from './reference.ts';

/** The weights PyTorch would build after manual_seed(seed). */
export const weightsFromSeed = (model: Module, seed: number): Map<string, Tensor<'float32'>> =>
  initialise(initPlan(model), manualSeed(seed));

/** Weights that a reference file carries itself, as `weights/<name>`, in place of those drawn from the seed. */
export const storedWeights = (arrays: TensorMap): TensorMap =>
  new Map(
    [...arrays]
      .filter(([key]) => key.startsWith('weights/'))
      .map(([key, value]) => [key.slice('weights/'.length), value]),
  );

/**
 * The weights the reference was recorded with: read from its own file, or drawn anew from its seed. Throws
 * InputError when a file's are not those of the model.
 */
function recordedWeights({ manifest, model, dir, arrays }: Reference): TensorMap {
  const { seed, file } = manifest.weights;
  if (file === undefined) return weightsFromSeed(model, seed!);
  const fix = 'record a model with the parameters of ours';
  return modelWeights(model, arrays(file), join(dir, file), { dtype: 'float32', fix });
}

const drawn = new WeakMap<Reference, TensorMap>();

/** The weights a stage starts from: those given, or the reference's own, drawn once. */
export function startingWeights({
  reference,
  weights,
}: {
  readonly reference: Reference;
  readonly weights?: TensorMap;
}): TensorMap {
  const known = weights ?? drawn.get(reference);
  if (known !== undefined) return known;
  const found = recordedWeights(reference);
  drawn.set(reference, found);
  return found;
}
