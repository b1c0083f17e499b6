import { initPlan, type Module } from '../../nn/module.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
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

const drawn = new WeakMap<Reference, TensorMap>();

/** The weights a stage starts from: those given, or those of the reference's seed, drawn once. */
export function startingWeights({
  reference,
  weights,
}: {
  readonly reference: Reference;
  readonly weights?: TensorMap;
}): TensorMap {
  const known = weights ?? drawn.get(reference);
  if (known !== undefined) return known;
  const found = weightsFromSeed(reference.model, reference.manifest.weights.seed);
  drawn.set(reference, found);
  return found;
}
