import type { Module } from '../nn/module.ts';
import { manualSeed, type TorchGenerator } from '../torch/generator.ts';
import { normal, skipNormal } from '../torch/normal.ts';
import type { Seed } from '../torch/seed.ts';
import { lengthOf, vectorFrom, vectorSize, type WeightVector } from './weightVector.ts';

/** A direction and what it has to be multiplied by to have length 1. */
export interface Direction {
  readonly vector: WeightVector;
  readonly scale: number;
}

function drawn(model: Module, generator: TorchGenerator): Direction {
  const values = new Float32Array(vectorSize(model));
  normal(generator, values, 0, 1);
  const vector = vectorFrom(model, values);
  return { vector, scale: 1 / lengthOf([[1, vector]]) };
}

/**
 * Direction `k`, from 0, of those that a seed gives, uniform on the sphere. In PyTorch: after `manual_seed(seed)` the
 * k-th `torch.randn` of as many elements as the model has, over its norm, cut into the parameters in their order.
 */
export function randomDirection(model: Module, seed: Seed, k: number): Direction {
  const generator = manualSeed(BigInt(seed));
  for (let i = 0; i < k; i++) skipNormal(generator, vectorSize(model));
  return drawn(model, generator);
}
