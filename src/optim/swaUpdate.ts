import { add, mul, sub } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';

/**
 * The running average after one more model: w̄ ← w̄·(1 − α) + w·α with α = 1 / (n + 1), n models averaged
 * so far. (Izmailov et al. 2018, algorithm 1; the two products are rounded before they are added, as in
 * the authors' moving_average)
 */
export const swaUpdate = (average: Node, weight: Node, alpha: Node): Node =>
  add(mul(average, sub(1, alpha)), mul(weight, alpha));
