import { GraphError } from '../../errors.ts';
import { topologicalOrder } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import { type Program, programRoots } from '../../program/program.ts';

/** Whose derivative rules a program's gradients come from. */
export const gradientRules = [
  'own', // TensorFlow.js's autodiff; our adjoint nodes are never run
  'ir', // our adjoints, run op by op like everything else
] as const;

export type GradientRules = (typeof gradientRules)[number];

/** One of the program's gradient nodes, and the value that it is the gradient of. */
export interface Wanted {
  readonly gradient: Node;
  readonly of: Node;
}

/** How TensorFlow.js runs a program. */
export interface Plan {
  readonly fetched: ReadonlyMap<string, Node>;
  readonly nextState: ReadonlyMap<string, Node>;
  /** What is run while the autodiff watches: all that the loss needs. Absent where nobody needs a gradient. */
  readonly differentiated?: {
    readonly loss: Node;
    readonly steps: readonly Node[];
    readonly wanted: readonly Wanted[];
    /** Values from there that are needed afterwards. */
    readonly kept: ReadonlySet<Node>;
  };
  /** What is run afterwards. */
  readonly steps: readonly Node[];
}

/** The program's own gradient nodes, which the library may compute instead. A constant needs nobody. */
function replaceable({ gradients }: Program): ReadonlyMap<Node, Node> {
  const of = new Map<Node, Node>();
  for (const [value, gradient] of gradients?.of ?? []) {
    // One node may be the gradient of several values: that of whichever comes first is the same.
    if (gradient.op !== 'constant' && !of.has(gradient)) of.set(gradient, value);
  }
  return of;
}

/**
 * Splits a program at its gradients: every adjoint node that the results need is cut out with all that
 * only it needs, and what stands before the cut, up to the loss, is to be differentiated by the library.
 */
export function planOf(program: Program, fetches: readonly string[], rules: GradientRules): Plan {
  const { fetched, nextState } = programRoots(program, fetches);
  const roots = [...fetched.values(), ...nextState.values()];
  const cut = rules === 'ir' ? new Map<Node, Node>() : replaceable(program);
  const order = topologicalOrder(roots, new Set(cut.keys()));
  const wanted = order.flatMap((gradient): Wanted[] => {
    const of = cut.get(gradient);
    return of === undefined ? [] : [{ gradient, of }];
  });
  if (wanted.length === 0) return { fetched, nextState, steps: order };

  const loss = program.gradients?.loss;
  if (loss === undefined) throw new GraphError(`${program.name} has gradients of nothing`);
  const forward = topologicalOrder([loss]);
  const computed = forward.filter((node) => node.op !== 'input');
  const known = new Set([...computed, ...wanted.map(({ gradient }) => gradient)]);
  const steps = order.filter((node) => !known.has(node));
  const readLater = new Set([...roots, ...steps.flatMap((node) => node.inputs)]);
  const kept = new Set(computed.filter((node) => readLater.has(node)));
  return {
    fetched,
    nextState,
    steps,
    differentiated: { loss, wanted, kept, steps: forward },
  };
}
