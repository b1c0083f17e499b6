import { GraphError } from '../../../errors.ts';
import { topologicalOrder } from '../../../ir/graph.ts';
import { apply, type Node } from '../../../ir/node.ts';
import type { DType, Op, OpParams } from '../../../ir/op.ts';
import type { Program, StateSlot } from '../../../program/program.ts';
import { formatShape, type Shape, sameShape } from '../../../tensor/shape.ts';

interface FlatNode {
  readonly op: Op;
  readonly params: OpParams[Op];
  /** Places in the list, all before this one's. */
  readonly inputs: readonly number[];
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * A program as a list, each node after its operands. The structured clone that messages go through calls
 * itself for every operand, and a graph is deeper than the call stack.
 */
export interface FlatProgram {
  readonly name: string;
  readonly nodes: readonly FlatNode[];
  readonly inputs: ReadonlyMap<string, number>;
  readonly state: ReadonlyMap<string, { readonly current: number; readonly next?: number }>;
  readonly fetches: ReadonlyMap<string, number>;
  readonly gradients?: {
    readonly loss: number;
    readonly of: readonly (readonly [value: number, gradient: number])[];
  };
}

const mapValues = <A, B>(map: ReadonlyMap<string, A>, f: (value: A) => B): Map<string, B> =>
  new Map([...map].map(([name, value]) => [name, f(value)]));

/** The program as data that can be sent. Gradients that nothing in it needs stay behind. */
export function flatten({ name, inputs, state, fetches, gradients }: Program): FlatProgram {
  const slots = [...state.values()].flatMap(({ current, next }) =>
    next === undefined ? [current] : [current, next],
  );
  const loss = gradients === undefined ? [] : [gradients.loss];
  const order = topologicalOrder([...inputs.values(), ...slots, ...fetches.values(), ...loss]);
  const places = new Map(order.map((node, place) => [node, place]));
  const place = (node: Node): number => places.get(node)!;
  const needed = [...(gradients?.of ?? [])].filter((pair) => pair.every((x) => places.has(x)));
  return {
    name,
    nodes: order.map((node) => ({ ...node, inputs: node.inputs.map(place) })),
    inputs: mapValues(inputs, place),
    state: mapValues(state, ({ current, next }) => ({
      current: place(current),
      ...(next && { next: place(next) }),
    })),
    fetches: mapValues(fetches, place),
    ...(gradients &&
      needed.length > 0 && {
        gradients: {
          loss: place(gradients.loss),
          of: needed.map(([value, gradient]) => [place(value), place(gradient)] as const),
        },
      }),
  };
}

/**
 * The program that was flattened: a node that was shared is one node again. Throws GraphError where a
 * node's type is not what its operands give, as for any graph that was not built by `apply`.
 */
export function rebuild({ name, nodes, inputs, state, fetches, gradients }: FlatProgram): Program {
  const built: Node[] = [];
  const at = (place: number): Node => built[place];
  for (const { op, params, inputs: places, shape, dtype } of nodes) {
    const node = apply(op, params, ...places.map(at));
    if (node.dtype !== dtype || !sameShape(node.shape, shape)) {
      throw new GraphError(
        `${name}: ${op} says ${dtype}${formatShape(shape)}, its operands give ${node.dtype}${formatShape(node.shape)}`,
      );
    }
    built.push(node);
  }
  const inputAt = (place: number): Node<'input'> => {
    const node = at(place);
    if (node.op === 'input') return node;
    throw new GraphError(`${name}: ${node.op} stands where an input belongs`);
  };
  return {
    name,
    inputs: mapValues(inputs, inputAt),
    state: mapValues(
      state,
      ({ current, next }): StateSlot => ({
        current: inputAt(current),
        ...(next !== undefined && { next: at(next) }),
      }),
    ),
    fetches: mapValues(fetches, at),
    ...(gradients && {
      gradients: {
        loss: at(gradients.loss),
        of: new Map(gradients.of.map(([value, gradient]) => [at(value), at(gradient)])),
      },
    }),
  };
}
