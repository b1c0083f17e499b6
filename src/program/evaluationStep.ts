import { input } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { LossName } from '../nn/losses.ts';
import { forwardPass, type Module } from '../nn/module.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import { lossOf } from './lossOf.ts';
import { byInputName, type Program, verifyProgram } from './program.ts';

/** What an evaluation is fed. */
export const evaluationFeeds = (images: Tensor, labels: Tensor): TensorMap =>
  new Map([
    ['images', images],
    ['labels', labels],
  ]);

/**
 * Evaluation of one batch: no dropout, batch norm by its running statistics, nothing changes.
 *
 * Inputs: images (a batch of the model's, [n, 3, 32, 32]), labels. Fetches: logits, loss (the batch's mean;
 * cross-entropy where none is named), predictions and correct where the loss knows classes, and every layer's output by
 * its name.
 */
export function evaluationStep(model: Module, imageShape: Shape, loss?: LossName): Program {
  const images = input('images', imageShape) as Node<'input'>;
  const pass = forwardPass(model, { mode: 'eval' });
  const logits = model.forward(images, pass);
  const { labels, loss: value, classes } = lossOf(logits, loss);
  return verifyProgram({
    name: 'evaluation',
    inputs: byInputName([images, labels]),
    state: new Map([...pass.state].map(([name, current]) => [name, { current }])),
    fetches: new Map<string, Node>([
      ...pass.outputs,
      ['logits', logits],
      ...Object.entries(classes ?? {}),
      ['loss', value],
    ]),
  });
}
