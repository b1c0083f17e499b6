import { mul, reduceSum, sub } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { sizeOf } from '../tensor/shape.ts';

/** F.mse_loss, mean over all elements: answers and targets of one shape → scalar. */
export function meanSquaredError(answers: Node, targets: Node): Node {
  const apart = sub(answers, targets);
  const axes = answers.shape.map((_, axis) => axis);
  return mul(reduceSum(mul(apart, apart), axes), 1 / sizeOf(answers.shape));
}
