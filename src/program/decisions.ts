import { add, input } from '../ir/build.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { Program } from './program.ts';
import { rewriteProgram } from './rewriteProgram.ts';

/** A value of a program that takes a branch at every element: a ReLU's sign, a pooling's winner. */
export interface Decision {
  /** The layer's name, as among the fetches. */
  readonly layer: string;
  readonly node: Node<'relu'> | Node<'maxPool2d'>;
}

/** What a decision is taken on, among the fetches of `withDecisions`. */
export const decidedOn = (layer: string): string => `${layer} decides on`;

/** The input of `nudged` that is added to what a decision is taken on. */
export const nudgeOf = (layer: string): string => `${layer} nudged by`;

/** Every decision of a program, in the order in which they are taken. */
export function decisionsOf(program: Program): Decision[] {
  const names = new Map<Node, string>();
  for (const [name, node] of program.fetches) if (!names.has(node)) names.set(node, name);
  const order = topologicalOrder(program.fetches.values());
  return order.flatMap((node): Decision[] => {
    if (node.op !== 'relu' && node.op !== 'maxPool2d') return [];
    const taken = node as Decision['node'];
    return [{ layer: names.get(node) ?? `${node.op} ${order.indexOf(node)}`, node: taken }];
  });
}

/** The program with what every decision is taken on among its fetches. */
export const withDecisions = (program: Program): Program => ({
  ...program,
  fetches: new Map([
    ...program.fetches,
    ...decisionsOf(program).map(({ layer, node }) => [decidedOn(layer), node.inputs[0]] as const),
  ]),
});

/**
 * The program with one more input a decision, `nudgeOf(layer)`, added to what it is taken on, forward and
 * backward alike. A nudge of a rounding's size makes an element that stands next to its kink decide the
 * other way and leaves every value what it was but for that rounding. Where pooling windows overlap, a
 * nudge shows in all of them.
 */
export function nudged(program: Program): Program {
  const decisions = decisionsOf(program);
  const nudges = new Map(
    decisions.map(({ layer, node }) => [
      node as Node,
      input(nudgeOf(layer), node.inputs[0].shape) as Node<'input'>,
    ]),
  );
  /** The nudge of a pooling's gradient is the pooling's. */
  const nudgeAt = (node: Node): Node | undefined => {
    if (node.op !== 'maxPool2dGrad') return nudges.get(node);
    const pooling = decisions.find(
      ({ node: p }) => p.op === 'maxPool2d' && p.inputs[0] === node.inputs[0],
    );
    return pooling === undefined ? undefined : nudges.get(pooling.node);
  };
  const nudge = (node: Node, operands: readonly Node[]): Node | undefined => {
    const by = nudgeAt(node);
    if (by === undefined) return undefined;
    return { ...node, inputs: [add(operands[0], by), ...operands.slice(1)] } as Node;
  };
  const inputs = new Map([...nudges.values()].map((n) => [n.params.name, n]));
  return {
    ...rewriteProgram(program, nudge, inputs),
    name: `${program.name} with nudged decisions`,
  };
}
