import type { TrainingStep } from '../data/trainingStream.ts';
import type { Module } from '../nn/module.ts';
import { momentumOf } from '../program/program.ts';
import { scalar, type Tensor, type TensorMap, tensor, zeros } from '../tensor/tensor.ts';

/** Weights and buffers with a zero momentum for every parameter: what a training step carries. */
export function initialTrainingState(model: Module, weights: TensorMap): TensorMap {
  const state = new Map<string, Tensor>(weights);
  for (const { name, shape, role } of model.state) {
    if (role === 'parameter') state.set(momentumOf(name), zeros('float32', shape));
  }
  return state;
}

/** What one training step is fed: a batch, its dropout masks as 0 and 1, and the learning rate. */
export function feedsOf(
  { images, labels, masks }: Pick<TrainingStep, 'images' | 'labels' | 'masks'>,
  lr: number,
): TensorMap {
  const batch = labels.data.length;
  return new Map<string, Tensor>([
    ['images', images],
    ['labels', labels],
    ['lr', scalar(lr)],
    ...masks.map((mask, i): [string, Tensor] => [
      `mask${i}`,
      tensor('float32', [batch, mask.length / batch], Float32Array.from(mask)),
    ]),
  ]);
}
