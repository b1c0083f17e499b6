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

/** The weights of the reference's own seed, drawn once, or those of another. */
export function drawnWeights(reference: Reference, seed: number): TensorMap {
  if (seed !== reference.manifest.weights.seed) return weightsFromSeed(reference.model, seed);
  const found = drawn.get(reference) ?? weightsFromSeed(reference.model, seed);
  drawn.set(reference, found);
  return found;
}

/** The weights a stage starts from: those given, or those of the reference's seed. */
export const startingWeights = ({
  reference,
  weights,
}: {
  readonly reference: Reference;
  readonly weights?: TensorMap;
}): TensorMap => weights ?? drawnWeights(reference, reference.manifest.weights.seed);
