import { equal, input, reduceSum } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { type Loss, type LossName, losses, usualLoss } from '../nn/losses.ts';

/** What a program says of a network's answers. */
export interface LossGraph {
  /** The input `labels`. */
  readonly labels: Node<'input'>;
  readonly loss: Node;
  /** Where the loss knows classes: the predicted ones, and how many are right. */
  readonly classes?: { readonly predictions: Node; readonly correct: Node };
}

/** The loss of a batch's answers, [n, classes] or whatever the network gives. */
export function lossOf(answers: Node, name: LossName = usualLoss): LossGraph {
  const { targets, of, predictions: predict }: Loss = losses[name];
  const { shape, dtype } = targets(answers.shape);
  const labels = input('labels', shape, dtype) as Node<'input'>;
  const loss = of(answers, labels);
  if (predict === undefined) return { labels, loss };
  const predictions = predict(answers);
  const correct = reduceSum(equal(predictions, labels), [0]);
  return { labels, loss, classes: { predictions, correct } };
}
