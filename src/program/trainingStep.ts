import { gradients } from '../autodiff/gradients.ts';
import { input } from '../ir/build.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { LossName } from '../nn/losses.ts';
import { forwardPass, type Module } from '../nn/module.ts';
import type { OptimizerSettings } from '../optim/optimizer.ts';
import type { Shape } from '../tensor/shape.ts';
import { lossOf } from './lossOf.ts';
import { optimizerStep } from './optimizerStep.ts';
import {
  byInputName,
  gradientOf,
  outputGradientOf,
  type Program,
  type StateSlot,
  verifyProgram,
} from './program.ts';

export interface TrainingStepSettings {
  readonly optimizer: OptimizerSettings;
  /** Cross-entropy where none is named. */
  readonly loss?: LossName;
  /** A batch of the model's images: [n, 3, 32, 32]. */
  readonly images: Shape;
  /** False leaves dropout out (profile `ncpaddle`). */
  readonly dropout: boolean;
}

/**
 * Forward, loss, backward and the optimizer's update of one batch.
 *
 * Inputs: images, labels, the optimizer's numbers (`lr`) and mask0, mask1 … (float 0 or 1). State:
 * parameters, what the optimizer keeps beside them, and buffers. Fetches: loss, logits, correct (how many predictions
 * are right, where the loss knows classes), every layer's output by its name, the gradient at it as `<name>.output.grad`, and every parameter's as `<name>.grad`.
 */
export function trainingStep(model: Module, settings: TrainingStepSettings): Program {
  const optimizer = optimizerStep(settings.optimizer);
  const { inputs, state, ...backward } = backwardPass(model, settings);
  const updated = new Map<string, StateSlot>();
  for (const [name, slot] of state) {
    const gradient = backward.gradients.of.get(slot.current);
    if (slot.role !== 'parameter' || gradient === undefined) updated.set(name, slot);
    else
      for (const [key, kept] of optimizer.slots(name, slot.current, gradient))
        updated.set(key, kept);
  }
  return verifyProgram({
    name: 'training step',
    inputs: byInputName([...inputs, ...optimizer.inputs]),
    state: updated,
    ...backward,
  });
}

/**
 * The same without the update, which `optimizerUpdate` makes when the gradients of several ranks are added up:
 * parameters are only read.
 */
export function gradientStep(
  model: Module,
  settings: Omit<TrainingStepSettings, 'optimizer'>,
): Program {
  const { inputs, ...backward } = backwardPass(model, settings);
  return verifyProgram({ name: 'gradient step', inputs: byInputName(inputs), ...backward });
}

/** Forward, loss and backward: the state as it is before any update of parameters. */
function backwardPass(model: Module, settings: Omit<TrainingStepSettings, 'optimizer'>) {
  const images = input('images', settings.images) as Node<'input'>;
  const pass = forwardPass(model, { mode: 'train', dropout: settings.dropout });
  const logits = model.forward(images, pass);
  const { labels, loss, classes } = lossOf(logits, settings.loss);

  const computes =
    (value: Node) =>
    ([, output]: readonly [string, Node]) =>
      topologicalOrder([output]).includes(value);
  const grads = gradients(loss, (value) => [...pass.outputs].find(computes(value))?.[0]);
  const fetches = new Map<string, Node>([
    ['loss', loss],
    ['logits', logits],
    ...(classes === undefined ? [] : [['correct', classes.correct] as const]),
    ...pass.outputs,
  ]);
  const fetchGradient = (name: string, node: Node): void => {
    const gradient = grads.get(node);
    if (gradient !== undefined) fetches.set(name, gradient);
  };
  pass.outputs.forEach((node, layer) => {
    fetchGradient(outputGradientOf(layer), node);
  });
  const state = new Map<string, StateSlot>();
  for (const { name, role } of model.state) {
    const current = pass.state.get(name)!;
    fetchGradient(gradientOf(name), current);
    const next = pass.bufferUpdates.get(name);
    state.set(name, { role, current, ...(next && { next }) });
  }
  return {
    inputs: [images, labels, ...pass.masks],
    state,
    fetches,
    gradients: { loss, of: grads },
  };
}
