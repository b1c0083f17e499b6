import { topologicalOrder } from '../../../ir/graph.ts';
import type { Node } from '../../../ir/node.ts';
import type { Op } from '../../../ir/op.ts';
import { type Program, programRoots } from '../../../program/program.ts';
import { onnxGraph, type Value } from '../onnx/onnxGraph.ts';
import { biasFusions } from './fusions.ts';
import type { Lowering } from './lowering.ts';
import { masksOnPools } from './pooledMasks.ts';
import { type Target, targets } from './target.ts';

/** A program as an ONNX model, with the names that connect the two. */
export interface LoweredProgram {
  readonly model: Uint8Array;
  /** Inputs the graph really reads, of those declared. */
  readonly inputs: readonly string[];
  readonly stateIn: readonly string[];
  /** Fetch or state name → name of the ONNX output. */
  readonly fetched: ReadonlyMap<string, string>;
  readonly nextState: ReadonlyMap<string, string>;
}

/** Layer names for profiles: each node takes that of the first named value which needs it. */
function scopes(order: readonly Node[], names: ReadonlyMap<string, Node>): Map<Node, string> {
  const scope = new Map<Node, string>();
  for (const [name, node] of names) if (!scope.has(node)) scope.set(node, name);
  for (const node of [...order].reverse()) {
    const own = scope.get(node) ?? '';
    for (const x of node.inputs) if (!scope.has(x)) scope.set(x, own);
  }
  return scope;
}

export function lowerProgram(
  program: Program,
  fetches: readonly string[],
  target: Target = targets.cpu,
): LoweredProgram {
  const asked = programRoots(program, fetches);
  const renewed = masksOnPools([...asked.fetched.values(), ...asked.nextState.values()]);
  const standsFor = (named: ReadonlyMap<string, Node>): Map<string, Node> =>
    new Map([...named].map(([name, node]) => [name, renewed.get(node) ?? node]));
  const fetched = standsFor(asked.fetched);
  const nextState = standsFor(asked.nextState);
  const roots = [...fetched.values(), ...nextState.values()];
  const order = topologicalOrder(roots);
  const fusions = biasFusions(order, new Set(roots));
  const absorbed = new Set([...fusions.values()].map(({ linear }) => linear));
  const scope = scopes(order, standsFor(program.fetches));

  const g = onnxGraph(program.name, { int: target.int });
  const values = new Map<Node, Value>();
  const value = (node: Node): Value => values.get(node)!;
  const lower = (node: Node, operands: readonly Value[]): Value =>
    (target.lowerings[node.op] as Lowering<Op>)(g, node, operands);
  const read: string[] = [];
  for (const node of order) {
    if (absorbed.has(node)) continue;
    g.scope = scope.get(node) ?? '';
    if (node.op === 'input') read.push(node.params.name);
    const fusion = fusions.get(node);
    values.set(
      node,
      fusion === undefined
        ? lower(node, node.inputs.map(value))
        : lower(fusion.linear, [...fusion.linear.inputs.map(value), value(fusion.bias)]),
    );
  }
  const publish = (prefix: string, named: ReadonlyMap<string, Node>): Map<string, string> =>
    new Map(
      [...named].map(([name, node]) => {
        g.output(`${prefix}:${name}`, value(node), node.dtype, node.shape);
        return [name, `${prefix}:${name}`];
      }),
    );
  return {
    fetched: publish('fetch', fetched),
    nextState: publish('next', nextState),
    inputs: read.filter((name) => program.inputs.has(name)),
    stateIn: read.filter((name) => program.state.has(name)),
    model: g.toBytes(),
  };
}
