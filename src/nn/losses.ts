import { argMax } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { Shape } from '../tensor/shape.ts';
import { crossEntropy } from './crossEntropy.ts';
import { meanSquaredError } from './meanSquaredError.ts';

/** A loss as data: what a network's answers are held against, and the graph of how far off they are. */
export interface Loss {
  /** What is fed as `labels`. */
  readonly targets: (answers: Shape) => { readonly shape: Shape; readonly dtype: Node['dtype'] };
  /** Mean over the batch, a scalar. */
  readonly of: (answers: Node, targets: Node) => Node;
  /** Where targets are classes: the class that each answer means. */
  readonly predictions?: (answers: Node) => Node;
}

/** By PyTorch's names. */
export const losses = {
  crossEntropy: {
    targets: ([n]) => ({ shape: [n], dtype: 'int' }),
    of: crossEntropy,
    predictions: argMax,
  },
  meanSquaredError: { targets: (shape) => ({ shape, dtype: 'float' }), of: meanSquaredError },
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** Of the networks of the paper, and of a program that names none. */
export const usualLoss: LossName = 'crossEntropy';
