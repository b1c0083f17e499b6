import { add, mul } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';

/**
 * The running average after one more model: w̄ ← w̄·(1 − α) + w·α with α = 1 / (n + 1), n models averaged
 * so far. (Izmailov et al. 2018, algorithm 1; the two products are rounded before they are added, as in
 * the authors' moving_average)
 *
 * `keep` is 1 − α and `take` is α, each rounded from a float64: 1 − float32(α) would be another number.
 */
export const swaUpdate = (average: Node, weight: Node, keep: Node, take: Node): Node =>
  add(mul(average, keep), mul(weight, take));

/** The two shares for a model that joins `averaged` others. */
export const swaShares = (averaged: number): { readonly keep: number; readonly take: number } => {
  const take = 1 / (averaged + 1);
  return { keep: 1 - take, take };
};
