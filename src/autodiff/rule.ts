import type { Node } from '../ir/node.ts';
import type { Op } from '../ir/op.ts';

/**
 * One op's adjoint: from the node y = op(x₀, x₁, …) and dy, the gradient of y, the gradients of its
 * operands in their order. `null` says that an operand has none (a class number, a decision).
 * A rule may answer in the broadcast shape; the walk sums it back to the operand's.
 */
export type AdjointRule<K extends Op> = (y: Node<K>, dy: Node) => readonly (Node | null)[];

/** A leaf, or a value that only decides: gradients end here. */
export const noGradient = 'no gradient';

/** Appears in backward graphs only and has no adjoint of its own here: asking for one is a mistake. */
export const neverAsked = 'never asked';

export type Adjoint<K extends Op> = AdjointRule<K> | typeof noGradient | typeof neverAsked;

export type AdjointTable<Ops extends Op = Op> = { readonly [K in Ops]: Adjoint<K> };
