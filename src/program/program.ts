import { GraphError } from '../errors.ts';
import { topologicalOrder, verify } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';

/** A value carried from run to run: read as `current`, replaced by `next` when the run ends. */
export interface StateSlot {
  /** Where a training step says it: trained, carried by the forward pass, or kept by the optimizer. */
  readonly role?: 'parameter' | 'buffer' | 'optimizer';
  readonly current: Node<'input'>;
  /** Absent where the program only reads. */
  readonly next?: Node;
}

/**
 * What a backend runs: a graph with names at its edges.
 *
 * `fetches` names everything one may ask for: losses, every layer's output (`features.0`), every
 * gradient (`features.0.weight.grad`). Only what is asked for when compiling is computed.
 */
export interface Program {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Node<'input'>>;
  readonly state: ReadonlyMap<string, StateSlot>;
  readonly fetches: ReadonlyMap<string, Node>;
  /** Which of its nodes are gradients: a backend with an autodiff of its own may compute them by that. */
  readonly gradients?: Gradients;
}

/** Values a loss depends on → the nodes that our adjoints compute their gradients by. */
export interface Gradients {
  readonly loss: Node;
  readonly of: ReadonlyMap<Node, Node>;
}

/** The name under which a gradient goes beside its parameter. */
export const gradientOf = (name: string): string => `${name}.grad`;
/** The gradient of the loss at a layer's output. */
export const outputGradientOf = (layer: string): string => gradientOf(`${layer}.output`);
/** What the optimizer keeps beside a parameter: `features.0.weight.momentum`. */
export const slotOf = (parameter: string, slot: string): string => `${parameter}.${slot}`;

/** By-name map of a pass's inputs. */
export const byInputName = (nodes: Iterable<Node<'input'>>): Map<string, Node<'input'>> =>
  new Map([...nodes].map((node) => [node.params.name, node]));

/** The graph's results for the chosen fetches: those, then every state value that changes. */
export function programRoots(
  program: Program,
  fetches: readonly string[],
): { readonly fetched: ReadonlyMap<string, Node>; readonly nextState: ReadonlyMap<string, Node> } {
  const fetched = new Map(
    fetches.map((name) => {
      const node = program.fetches.get(name);
      if (node === undefined) throw new GraphError(`${program.name} has nothing called ${name}`);
      return [name, node] as const;
    }),
  );
  const nextState = new Map<string, Node>();
  for (const [name, { next }] of program.state) if (next !== undefined) nextState.set(name, next);
  return { fetched, nextState };
}

/** The program that reads the same state and leaves it as it is: a step whose update nobody asks for. */
export const leavingState = (program: Program): Program => ({
  ...program,
  state: new Map([...program.state].map(([name, { next: _, ...slot }]) => [name, slot] as const)),
});

/** Checks shapes, names, and that nothing is read which is neither input nor state. */
export function verifyProgram(program: Program): Program {
  const roots = [...program.fetches.values()];
  for (const [name, { current, next }] of program.state) {
    if (current.params.name !== name) {
      throw new GraphError(`state ${name} reads an input called ${current.params.name}`);
    }
    if (next === undefined) continue;
    if (!sameShape(current.shape, next.shape)) {
      throw new GraphError(
        `state ${name} goes from ${formatShape(current.shape)} to ${formatShape(next.shape)}`,
      );
    }
    roots.push(next);
  }
  verify(roots);
  for (const node of topologicalOrder(roots)) {
    if (node.op !== 'input') continue;
    const { name } = node.params;
    const known = program.inputs.get(name) ?? program.state.get(name)?.current;
    if (known !== node) throw new GraphError(`${program.name} reads ${name}, which nobody feeds`);
  }
  return program;
}
