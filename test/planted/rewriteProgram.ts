import type { Backend, Executable } from '../../src/backends/backend.ts';
import { input } from '../../src/ir/build.ts';
import { topologicalOrder } from '../../src/ir/graph.ts';
import { apply, type Node } from '../../src/ir/node.ts';
import type { Op, OpParams } from '../../src/ir/op.ts';
import { type Program, verifyProgram } from '../../src/program/program.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { type Tensor, type TensorMap, tensor } from '../../src/tensor/tensor.ts';

/** Where in a program a node stands, for a rewrite to find the one it is after. */
export interface Site {
  readonly program: Program;
  /** The node's operands, already rewritten. */
  readonly inputs: readonly Node[];
  /** The node as it is, on its rewritten operands. */
  readonly same: () => Node;
  /** Whether the node is fetched as this: `features.3`, `features.3.weight.grad`. */
  readonly named: (name: string) => boolean;
  /** A tensor of given numbers, fed beside the program's own inputs. */
  readonly given: (values: Float32Array, shape: Shape) => Node;
}

/** What takes a node's place; undefined leaves it as it is. */
export type Rewrite = (node: Node, site: Site) => Node | undefined;

interface Rewritten {
  readonly program: Program;
  readonly feeds: TensorMap;
  /** How many nodes were replaced. */
  readonly replaced: number;
}

/** The same op on other operands. */
const rebuilt = (node: Node, inputs: readonly Node[]): Node =>
  node.inputs.every((x, i) => x === inputs[i])
    ? node
    : apply(node.op, node.params as OpParams[Op], ...inputs);

/** Rewrites every node that a program's results are made of, operands first. */
export function rewriteProgram(program: Program, rewrite: Rewrite): Rewritten {
  const nexts = [...program.state.values()].flatMap(({ next }) => next ?? []);
  const feeds = new Map<string, Tensor>();
  const extra = new Map<string, Node<'input'>>();
  const given = (values: Float32Array, shape: Shape): Node => {
    if (values.length !== sizeOf(shape)) throw new Error(`${values.length} numbers for ${shape}`);
    const name = `planted${feeds.size}`;
    const node = input(name, shape) as Node<'input'>;
    feeds.set(name, tensor('float32', shape, values));
    extra.set(name, node);
    return node;
  };
  const mapped = new Map<Node, Node>();
  const of = (node: Node): Node => mapped.get(node) ?? node;
  let replaced = 0;
  for (const node of topologicalOrder([...program.fetches.values(), ...nexts])) {
    const inputs = node.inputs.map(of);
    const named = (name: string): boolean => program.fetches.get(name) === node;
    const instead = rewrite(node, {
      program,
      inputs,
      named,
      given,
      same: () => rebuilt(node, inputs),
    });
    if (instead !== undefined) replaced++;
    mapped.set(node, instead ?? rebuilt(node, inputs));
  }
  const state = new Map(
    [...program.state].map(([name, { current, next }]) => [
      name,
      next === undefined ? { current } : { current, next: of(next) },
    ]),
  );
  const fetches = new Map([...program.fetches].map(([name, node]) => [name, of(node)]));
  const inputs = new Map([...program.inputs, ...extra]);
  return { program: verifyProgram({ ...program, inputs, state, fetches }), feeds, replaced };
}

/** A backend that runs rewritten programs; `took` is called when one that differs is run. */
export const rewritingBackend = (
  backend: Backend,
  rewrite: Rewrite,
  took: () => void,
): Backend => ({
  ...backend,
  async compile(original, fetches): Promise<Executable> {
    const { program, feeds, replaced } = rewriteProgram(original, rewrite);
    const executable = await backend.compile(program, fetches);
    return {
      run(state, inputs, into) {
        if (replaced > 0) took();
        return executable.run(state, new Map([...inputs, ...feeds]), into);
      },
      dispose: () => executable.dispose(),
    };
  },
});
