import { cut } from '../ir/cut.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import { type Program, verifyProgram } from './program.ts';

/**
 * The part of a program that computes `fetches` when the values called `given` (fetches as well) are known:
 * a layer by itself, or a layer's adjoint. Its inputs are those of the given values and of the program's
 * inputs that it reads; state is read and never changed.
 */
export function piece(
  program: Program,
  fetches: readonly string[],
  given: readonly string[],
): Program {
  const named = (names: readonly string[]): Map<string, Node> =>
    new Map(names.map((name) => [name, program.fetches.get(name)!]));
  const part = cut(named(fetches), named(given));
  const read = new Set(topologicalOrder(part.roots.values()));
  return verifyProgram({
    name: `${fetches.join(', ')} of ${program.name}`,
    inputs: new Map([...part.inputs, ...[...program.inputs].filter(([, node]) => read.has(node))]),
    state: new Map(
      [...program.state]
        .filter(([, { current }]) => read.has(current))
        .map(([name, { current }]) => [name, { current }]),
    ),
    fetches: part.roots,
  });
}
