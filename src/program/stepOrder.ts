import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import { gradientOf, outputGradientOf, type Program } from './program.ts';

export type StepTensorKind =
  | 'output' // of a layer, in the forward pass
  | 'output gradient' // of the loss to a layer's output
  | 'weight gradient'; // of the loss to a parameter

/** One tensor of a training step. */
export interface StepTensor {
  readonly kind: StepTensorKind;
  /** Its name among the fetches: `features.0`, `features.0.output.grad`, `features.0.weight.grad`. */
  readonly name: string;
  /** The layer that computes it; for a gradient the layers (or the loss) that read the value it belongs to. */
  readonly layer: string;
}

interface Placed extends StepTensor {
  readonly at: number;
}

/** Results that are no layer's output. */
const results: ReadonlySet<string> = new Set(['loss', 'logits', 'predictions', 'correct']);

/** The layers whose output the loss depends on, with what they compute. */
const layersOf = ({ fetches, gradients }: Program): Map<string, Node> =>
  new Map(
    [...fetches].filter(([name]) =>
      gradients === undefined ? !results.has(name) : fetches.has(outputGradientOf(name)),
    ),
  );

/** For each value, the layers (or the loss) that read it first. */
function readersOf(loss: Node, layers: ReadonlyMap<string, Node>): (value: Node) => string {
  const leaves = new Set(layers.values());
  const readers = new Map<Node, string[]>();
  for (const [reader, root] of [...layers, ['loss', loss] as const]) {
    leaves.delete(root);
    for (const value of topologicalOrder([root], leaves)) {
      if (value === root) continue;
      readers.set(value, [...(readers.get(value) ?? []), reader]);
    }
    if (reader !== 'loss') leaves.add(root);
  }
  return (value) => (readers.get(value) ?? []).join(' + ');
}

/**
 * What a training step computes, in the order in which its graph does: every layer's output from the first to the
 * last, then back again every gradient, each where the last of its contributions is added. Nothing stands before
 * what it is computed from, so the first that is wrong is the nearest to the mistake, in residual networks too. An
 * evaluation has outputs only.
 */
export function stepOrder(program: Program): StepTensor[] {
  const loss = program.fetches.get('loss')!;
  const layers = layersOf(program);
  const readers = readersOf(loss, layers);
  const order = topologicalOrder([loss]);
  const computedAt = new Map(order.map((node, at) => [node, at]));
  /** Where a value is read first going forward, and so last going back. */
  const readAt = new Map<Node, number>();
  order.forEach((node, at) => {
    for (const value of node.inputs) if (!readAt.has(value)) readAt.set(value, at);
  });
  const gradient = (kind: StepTensorKind, name: string, value: Node): Placed => ({
    kind,
    name,
    layer: readers(value),
    at: readAt.get(value) ?? -1,
  });
  const outputs = [...layers].map(([name, node]): Placed => {
    return { kind: 'output', name, layer: name, at: computedAt.get(node) ?? order.length };
  });
  // Of gradients that are ready at once, a layer's own parameters come before what it hands on.
  const parameters = [...program.state]
    .filter(([name]) => program.fetches.has(gradientOf(name)))
    .map(([name, { current }]) => gradient('weight gradient', gradientOf(name), current));
  const handedOn = [...layers]
    .filter(([name]) => program.fetches.has(outputGradientOf(name)))
    .reverse()
    .map(([name, node]) => gradient('output gradient', outputGradientOf(name), node));
  const backward = [...parameters, ...handedOn].sort((a, b) => b.at - a.at);
  return [...outputs.sort((a, b) => a.at - b.at), ...backward].map(({ at, ...tensor }) => tensor);
}
