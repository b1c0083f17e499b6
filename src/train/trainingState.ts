import type { TrainingStep } from '../data/trainingStream.ts';
import type { Module } from '../nn/module.ts';
import { type OptimizerSettings, slotsOf } from '../optim/optimizer.ts';
import { slotOf } from '../program/program.ts';
import type { Shape } from '../tensor/shape.ts';
import { scalars, type Tensor, type TensorMap, tensor, zeros } from '../tensor/tensor.ts';

/** What the optimizer keeps of a parameter before the first step: zeros. */
export const emptySlots = (
  optimizer: OptimizerSettings,
  name: string,
  shape: Shape,
): [string, Tensor][] =>
  slotsOf(optimizer).map((slot) => [slotOf(name, slot), zeros('float32', shape)]);

/** Weights and buffers, and zeros for whatever the optimizer keeps: what a training step carries. */
export function initialTrainingState(
  model: Module,
  weights: TensorMap,
  optimizer: OptimizerSettings,
): TensorMap {
  const state = new Map<string, Tensor>(weights);
  for (const { name, shape, role } of model.state) {
    if (role !== 'parameter') continue;
    for (const [slot, value] of emptySlots(optimizer, name, shape)) state.set(slot, value);
  }
  return state;
}

/** What one training step is fed: a batch, its dropout masks as 0 and 1, and the optimizer's numbers. */
export function feedsOf(
  { images, labels, masks }: Pick<TrainingStep, 'images' | 'labels' | 'masks'>,
  optimizerNumbers: Readonly<Record<string, number>>,
): TensorMap {
  const batch = labels.data.length;
  return new Map<string, Tensor>([
    ['images', images],
    ['labels', labels],
    ...scalars(optimizerNumbers),
    ...masks.map((mask, i): [string, Tensor] => [
      `mask${i}`,
      tensor('float32', [batch, mask.length / batch], Float32Array.from(mask)),
    ]),
  ]);
}
