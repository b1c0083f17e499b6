import { logSoftmax, mul, oneHot, reduceSum } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';

/** F.cross_entropy, mean over the batch: logits [n, classes], labels int [n] → scalar. */
export function crossEntropy(logits: Node, labels: Node): Node {
  const [n, classes] = logits.shape;
  const picked = mul(oneHot(labels, classes), logSoftmax(logits));
  return mul(reduceSum(picked, [0, 1]), -1 / n);
}
