import { gradients } from '../autodiff/gradients.ts';
import { argMax, equal, input, reduceSum } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { crossEntropy } from '../nn/crossEntropy.ts';
import { forwardPass, type Module } from '../nn/module.ts';
import { type SgdSettings, sgd } from '../optim/sgd.ts';
import type { Shape } from '../tensor/shape.ts';
import {
  byInputName,
  gradientOf,
  momentumOf,
  outputGradientOf,
  type Program,
  type StateSlot,
  verifyProgram,
} from './program.ts';

export interface TrainingStepSettings extends SgdSettings {
  /** [n, 3, 32, 32]. */
  readonly images: Shape;
  /** False leaves dropout out (profile `ncpaddle`). */
  readonly dropout: boolean;
}

/**
 * Forward, loss, backward and SGD update of one batch.
 *
 * Inputs: images, labels, lr and mask0, mask1 … (float 0 or 1). State: parameters, their momenta, and
 * buffers. Fetches: loss, logits, correct (how many predictions are right), every layer's output by its
 * name, the gradient at it as `<name>.output.grad`, and every parameter's as `<name>.grad`.
 */
export function trainingStep(model: Module, settings: TrainingStepSettings): Program {
  const images = input('images', settings.images) as Node<'input'>;
  const labels = input('labels', [settings.images[0]], 'int') as Node<'input'>;
  const lr = input('lr', []) as Node<'input'>;
  const pass = forwardPass(model, { mode: 'train', dropout: settings.dropout });
  const logits = model.forward(images, pass);
  const loss = crossEntropy(logits, labels);
  const correct = reduceSum(equal(argMax(logits), labels), [0]);

  const grads = gradients(loss);
  const fetches = new Map<string, Node>([
    ['loss', loss],
    ['logits', logits],
    ['correct', correct],
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
  for (const { name, shape, role } of model.state) {
    const current = pass.state.get(name)!;
    fetchGradient(gradientOf(name), current);
    const gradient = grads.get(current);
    const next = pass.bufferUpdates.get(name);
    if (role === 'buffer' || gradient === undefined) {
      state.set(name, next === undefined ? { current } : { current, next });
      continue;
    }
    const velocity = input(momentumOf(name), shape) as Node<'input'>;
    const updated = sgd(current, gradient, velocity, lr, settings);
    state.set(name, { current, next: updated.weight });
    state.set(momentumOf(name), { current: velocity, next: updated.momentum });
  }
  const inputs = byInputName([images, labels, lr, ...pass.masks]);
  const provenance = { loss, of: grads };
  return verifyProgram({ name: 'training step', inputs, state, fetches, gradients: provenance });
}
