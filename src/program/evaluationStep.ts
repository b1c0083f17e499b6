import { argMax, equal, input, reduceSum } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { crossEntropy } from '../nn/crossEntropy.ts';
import { forwardPass, type Module } from '../nn/module.ts';
import type { Shape } from '../tensor/shape.ts';
import { byInputName, type Program, verifyProgram } from './program.ts';

/**
 * Evaluation of one batch: no dropout, batch norm by its running statistics, nothing changes.
 *
 * Inputs: images [n, 3, 32, 32], labels. Fetches: logits, predictions, correct, loss (the batch's mean)
 * and every layer's output by its name.
 */
export function evaluationStep(model: Module, imageShape: Shape): Program {
  const images = input('images', imageShape) as Node<'input'>;
  const labels = input('labels', [imageShape[0]], 'int') as Node<'input'>;
  const pass = forwardPass(model, { mode: 'eval' });
  const logits = model.forward(images, pass);
  const predictions = argMax(logits);
  return verifyProgram({
    name: 'evaluation',
    inputs: byInputName([images, labels]),
    state: new Map([...pass.state].map(([name, current]) => [name, { current }])),
    fetches: new Map<string, Node>([
      ...pass.outputs,
      ['logits', logits],
      ['predictions', predictions],
      ['correct', reduceSum(equal(predictions, labels), [0])],
      ['loss', crossEntropy(logits, labels)],
    ]),
  });
}
