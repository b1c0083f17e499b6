import { cut } from '../../ir/cut.ts';
import type { Node } from '../../ir/node.ts';
import { piece } from '../../program/piece.ts';
import { gradientOf, outputGradientOf, type Program } from '../../program/program.ts';
import type { TraceKind } from '../trace.ts';

/** One tensor of a training step and the layer, or the layer's adjoint, that computes it. */
export interface PlannedRow {
  readonly kind: TraceKind;
  readonly layer: string;
  readonly name: string;
  /** Computes this tensor alone, from the layer outputs and output gradients it depends on first. */
  readonly alone: Program;
  /** Those outputs and gradients. */
  readonly reads: readonly string[];
}

/** The layers whose output the loss depends on, in the order in which they run. */
const layersOf = ({ fetches }: Program): string[] =>
  [...fetches.keys()].filter((name) => fetches.has(outputGradientOf(name)));

/** For each output, the layers (or the loss) that read it first. */
function readers(program: Program, layers: readonly string[]): (output: string) => string[] {
  const node = (name: string): Node => program.fetches.get(name)!;
  const outputs = new Map(layers.map((layer) => [layer, node(layer)]));
  const reads = [...layers, 'loss'].map((reader): [string, Set<Node>] => {
    const { inputs } = cut(new Map([[reader, node(reader)]]), outputs);
    return [reader, new Set([...inputs.keys()].map(node))];
  });
  return (output) => reads.flatMap(([reader, read]) => (read.has(node(output)) ? [reader] : []));
}

/**
 * Every tensor of a training step in the order in which it is computed: the layers' outputs, then, from the
 * last layer back, the gradient at each output and those of the layer's parameters. The gradient at an
 * output is the work of the layers that read it.
 */
export function tracePlan(program: Program): PlannedRow[] {
  const layers = layersOf(program);
  const outputGradients = layers.map(outputGradientOf);
  const values = [...layers, ...outputGradients];
  const parameters = [...program.state.keys()].filter((name) =>
    program.fetches.has(gradientOf(name)),
  );
  const readBy = readers(program, layers);
  const row = (kind: TraceKind, layer: string, name: string): PlannedRow => {
    const alone = piece(program, [name], values);
    const reads = [...alone.inputs.keys()].filter((input) => program.fetches.has(input));
    return { kind, layer, name, alone, reads };
  };
  const layerOf = (parameter: string): string => parameter.slice(0, parameter.lastIndexOf('.'));
  const parameterRow = (parameter: string): PlannedRow =>
    row('weight gradient', layerOf(parameter), gradientOf(parameter));
  const back = [...layers]
    .reverse()
    .flatMap((layer) => [
      row('output gradient', readBy(layer).join(' + '), outputGradientOf(layer)),
      ...parameters.filter((p) => layerOf(p) === layer).map(parameterRow),
    ]);
  const others = parameters.filter((p) => !layers.includes(layerOf(p)));
  return [
    ...layers.map((layer) => row('output', layer, layer)),
    ...back,
    ...others.map(parameterRow),
  ];
}
