import { topologicalOrder } from '../../../../ir/graph.ts';
import type { Node } from '../../../../ir/node.ts';
import { type Program, programRoots } from '../../../../program/program.ts';
import { sizeOf } from '../../../../tensor/shape.ts';
import type { NamedSource, NumberSource, Pass, Step, SumSource, Tail } from './pass.ts';
import { isPassOp, type PassOpName } from './passOps.ts';

/** A program in two parts: what an engine runs, and what passes do after it. */
export interface Parts {
  readonly head: Program;
  /** What to ask of the head: fetches of the program, and `reads`. */
  readonly fetches: readonly string[];
  /** Values that the tail reads of the head, by the name of their fetch. */
  readonly reads: ReadonlyMap<string, Node>;
  readonly tail: Tail;
}

/** One number, or one number in every element. */
const isNumber = ({ op, shape }: Node): boolean => op === 'constant' || sizeOf(shape) === 1;
const isFloat = ({ dtype }: Node): boolean => dtype === 'float';
const isLeaf = ({ op }: Node): boolean => op === 'input' || op === 'constant';

/**
 * Takes from the end of a program what is elementwise on tensors of at least `least` elements and ends in the state:
 * the optimizer's update, an average of weights, and sums over what they leave. Undefined if the program has no such end.
 */
export function partsOf(
  program: Program,
  fetches: readonly string[],
  least: number,
): Parts | undefined {
  const { fetched, nextState } = programRoots(program, fetches);
  const order = topologicalOrder([...fetched.values(), ...nextState.values()]);
  const inTail = tailNodes(order, new Set(fetched.values()), new Set(nextState.values()), least);
  if (inTail === undefined) return undefined;

  const tailOrder = order.filter((node) => inTail.has(node));
  const names = new Map<Node, string>();
  for (const node of tailOrder.flatMap(({ inputs }) => inputs)) {
    if (!inTail.has(node) && !isLeaf(node) && !names.has(node))
      names.set(node, `read ${names.size}`);
  }
  const reads = new Map([...names].map(([node, name]) => [name, node]));
  const source = (node: Node): NumberSource => {
    if (node.op === 'constant') return { from: 'constant', value: node.params.value };
    if (node.op !== 'input') return { from: 'head', name: names.get(node)! };
    const { name } = node.params;
    return { from: program.state.has(name) ? 'state' : 'input', name };
  };
  const current = new Map<Node, Node[]>();
  for (const slot of program.state.values()) {
    if (slot.next === undefined) continue;
    current.set(slot.next, [...(current.get(slot.next) ?? []), slot.current]);
  }
  const tail = tailFrom(tailOrder, { source, fetched, nextState, current });
  if (tail.passes.some((pass) => parametersOf(pass) > mostParameters)) return undefined;
  return {
    head: {
      ...program,
      state: new Map(
        [...program.state].map(([name, { next, ...slot }]) => [
          name,
          next === undefined || inTail.has(next) ? slot : { ...slot, next },
        ]),
      ),
      fetches: new Map([...program.fetches, ...reads]),
    },
    fetches: [...fetches.filter((name) => !inTail.has(fetched.get(name)!)), ...reads.keys()],
    reads,
    tail,
  };
}

/** What an engine of WebAssembly takes. */
const mostParameters = 1000;
const parametersOf = ({ tensors, writes, scalars }: Pass): number =>
  tensors.length + writes.length + scalars.length + 1;

/** Nodes that only the tail needs. Undefined where there are none, or a tensor waits for a sum over another one. */
function tailNodes(
  order: readonly Node[],
  fetched: ReadonlySet<Node>,
  next: ReadonlySet<Node>,
  least: number,
): ReadonlySet<Node> | undefined {
  const users = new Map<Node, Node[]>();
  for (const node of order) {
    for (const x of node.inputs) users.set(x, [...(users.get(x) ?? []), node]);
  }
  const fits = (node: Node): boolean => {
    if (!isFloat(node)) return false;
    if (node.op === 'reduceSum') return isNumber(node) && next.has(node.inputs[0]);
    if (!isPassOp(node.op) || !node.inputs.every(isFloat)) return false;
    const size = sizeOf(node.shape);
    const alike = node.inputs.every((x) => isNumber(x) || sizeOf(x.shape) === size);
    return alike && (size === 1 || size >= least);
  };
  const free = new Set<Node>();
  for (const node of [...order].reverse()) {
    if (!fits(node) || (fetched.has(node) && !isNumber(node))) continue;
    // Single numbers of the state belong to the engine.
    if (next.has(node) && isNumber(node)) continue;
    if ((users.get(node) ?? []).every((user) => free.has(user))) free.add(node);
  }
  const kept = new Set<Node>();
  for (const node of order) {
    if (!free.has(node)) continue;
    const [large, number] = [!isNumber(node), node.inputs.some((x) => kept.has(x))];
    // A number of the tail that scales a tensor, as the norm of gradients does, would need a second walk.
    if (large && node.inputs.some((x) => isNumber(x) && kept.has(x))) return undefined;
    if (large || number) kept.add(node);
  }
  return kept.size === 0 ? undefined : kept;
}

interface Edges {
  readonly source: (node: Node) => NumberSource;
  readonly fetched: ReadonlyMap<string, Node>;
  readonly nextState: ReadonlyMap<string, Node>;
  /** What a value of the state is written over. */
  readonly current: ReadonlyMap<Node, readonly Node[]>;
}

function tailFrom(order: readonly Node[], { source, fetched, nextState, current }: Edges): Tail {
  const sums = new Map<Node, SumSource>();
  const passes = groups(
    order.filter((node) => !isNumber(node)),
    current,
  ).map((steps, i): Pass => {
    const inside = new Set(steps);
    const read = new Set(steps.flatMap(({ inputs }) => inputs).filter((x) => !inside.has(x)));
    const totals = order.filter(({ op, inputs }) => op === 'reduceSum' && inside.has(inputs[0]));
    for (const [at, node] of totals.entries()) sums.set(node, { from: 'sum', pass: i, at });
    const tensors = [...read].filter((x) => !isNumber(x));
    const scalars = [...read].filter(isNumber);
    const numbers = numbered([...tensors, ...scalars, ...steps]);
    return {
      size: sizeOf(steps[0].shape),
      tensors: tensors.map((node) => source(node) as NamedSource),
      scalars: scalars.map(source),
      steps: steps.map((node) => stepOf(node, numbers)),
      writes: [...nextState].flatMap(([state, node]) =>
        inside.has(node) ? [{ state, value: numbers.get(node)! }] : [],
      ),
      sums: totals.map(({ inputs }) => numbers.get(inputs[0])!),
    };
  });

  const steps = order.filter((node) => isNumber(node) && node.op !== 'reduceSum');
  const inside = new Set(steps);
  const read = new Set([
    ...sums.keys(),
    ...steps.flatMap(({ inputs }) => inputs).filter((x) => !inside.has(x)),
  ]);
  const numbers = numbered([...read, ...steps]);
  return {
    passes,
    numbers: {
      scalars: [...read].map((node) => sums.get(node) ?? source(node)),
      steps: steps.map((node) => stepOf(node, numbers)),
      fetched: new Map(
        [...fetched].flatMap(([name, node]) => {
          const number = numbers.get(node);
          return number !== undefined && (inside.has(node) || sums.has(node))
            ? [[name, number]]
            : [];
        }),
      ),
    },
  };
}

const numbered = (nodes: readonly Node[]): ReadonlyMap<Node, number> =>
  new Map(nodes.map((node, i) => [node, i]));

const stepOf = (node: Node, numbers: ReadonlyMap<Node, number>): Step => ({
  op: node.op as PassOpName,
  operands: node.inputs.map((x) => numbers.get(x)!),
});

/**
 * The steps by what hangs together: through tensors that they read, and through the state that they write over. So
 * nothing that one group writes is read by another.
 */
function groups(
  steps: readonly Node[],
  current: ReadonlyMap<Node, readonly Node[]>,
): readonly (readonly Node[])[] {
  const first = new Map<Node, Node>();
  const root = (node: Node): Node => {
    const up = first.get(node) ?? node;
    return up === node ? node : root(up);
  };
  for (const node of steps) {
    for (const x of [...node.inputs, ...(current.get(node) ?? [])]) {
      if (!isNumber(x)) first.set(root(x), root(node));
    }
  }
  const found = new Map<Node, Node[]>();
  for (const node of steps) {
    const group = found.get(root(node)) ?? [];
    found.set(root(node), group);
    group.push(node);
  }
  return [...found.values()];
}
