import { input } from '../ir/build.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import type { Op, Pair, Window } from '../ir/op.ts';
import { forwardPass, type Network } from './module.ts';

/** What the words of a node may ask about the graph around it. */
interface Around {
  /** Whether it is a parameter or a buffer, in whatever shape. */
  readonly isState: (node: Node) => boolean;
  /** The layer whose output it is. */
  readonly layerOf: (node: Node) => string | undefined;
}

const times = ([height, width]: Pair): string => `${height}×${width}`;
const alike = (a: Pair, b: Pair): boolean => a[0] === b[0] && a[1] === b[1];
const short = ([height, width]: Pair): string =>
  height === width ? String(height) : times([height, width]);

const moved = (stride: Pair, usual: Pair): string[] =>
  alike(stride, usual) ? [] : [`stride ${short(stride)}`];
const padded = (padding: Pair): string[] =>
  alike(padding, [0, 0]) ? [] : [`padding ${short(padding)}`];
const pool = (kind: string, { kernel, stride, padding }: Window): string =>
  [`${kind} pool ${times(kernel)}`, ...moved(stride, kernel), ...padded(padding)].join(', ');
const eps = (value: number): string => (value < 1e-3 ? value.toExponential() : String(value));

/** What one op does in a layer; undefined where its being there goes without saying. */
type Words = {
  readonly [K in Op]: ((node: Node<K>, around: Around) => string | undefined) | undefined;
};

const words: Words = {
  input: undefined,
  constant: undefined,
  add: ({ inputs }, { isState, layerOf }) => {
    if (inputs.some(isState)) return undefined;
    const layers = inputs.map(layerOf);
    return layers.includes(undefined) ? 'sum' : layers.join(' + ');
  },
  sub: undefined,
  mul: undefined,
  div: undefined,
  neg: undefined,
  exp: () => 'exp',
  sqrt: () => 'square root',
  relu: () => 'relu',
  reluGrad: undefined,
  equal: undefined,
  matmul: ({ inputs: [, weight], params }) => {
    const [from, to] = params.transposeB ? [weight.shape[1], weight.shape[0]] : weight.shape;
    return `linear, ${from} → ${to}`;
  },
  conv2d: ({ inputs: [, weight], params: { stride, padding } }) => {
    const [to, from, height, width] = weight.shape;
    const size = times([height, width]);
    const parts = [`conv ${size}`, `${from} → ${to}`, ...moved(stride, [1, 1]), ...padded(padding)];
    return parts.join(', ');
  },
  conv2dInputGrad: undefined,
  conv2dWeightGrad: undefined,
  maxPool2d: ({ params }) => pool('max', params),
  maxPool2dGrad: undefined,
  avgPool2d: ({ params }) => pool('average', params),
  avgPool2dGrad: undefined,
  batchNorm: ({ params }) => `batchNorm, eps ${eps(params.eps)}`,
  reshape: undefined,
  transpose: undefined,
  broadcastTo: undefined,
  reduceSum: ({ params: { axes } }) => `sum over ${axes.join(', ')}`,
  logSoftmax: () => 'log-softmax',
  oneHot: undefined,
  argMax: () => 'argmax',
};

const wordsOf = (node: Node, around: Around): string | undefined =>
  (words[node.op] as ((node: Node, around: Around) => string | undefined) | undefined)?.(
    node,
    around,
  );

/**
 * What every layer of a network is, told from the graph it builds: `conv 3×3, 64 → 128, stride 2`,
 * `batchNorm, eps 0.001`, `dropout 0.5`. By the layer's name.
 */
export function layerWords(network: Network): ReadonlyMap<string, string> {
  const pass = forwardPass(network, { mode: 'eval' });
  network.forward(input('images', [1, ...network.image]), pass);
  const state = new Set<Node>(pass.state.values());
  const isState = (node: Node): boolean =>
    state.has(node) || (node.op === 'reshape' && isState(node.inputs[0]));
  // In evaluation a dropout hands on what the layer before it made, which keeps its name.
  const makers = new Map<Node, string>();
  for (const [layer, node] of pass.outputs) if (!makers.has(node)) makers.set(node, layer);
  const dropouts = new Map(network.dropouts.map(({ layer, p }) => [layer, `dropout ${p}`]));
  const around: Around = { isState, layerOf: (node) => makers.get(node) };

  /** What the layer does to the outputs of the layers before it. */
  const made = (layer: string, output: Node): string[] => {
    if (makers.get(output) !== layer) return [];
    const before = new Set([...makers.keys()].filter((node) => node !== output));
    const piece = topologicalOrder([output], before).filter((node) => !before.has(node));
    const found = piece.flatMap((node) => wordsOf(node, around) ?? []);
    const weighted = piece.some(({ op }) => op === 'conv2d' || op === 'matmul');
    const biased = piece.some(({ op, inputs }) => op === 'add' && inputs.some(isState));
    return weighted && !biased ? [...found, 'no bias'] : found;
  };
  return new Map(
    [...pass.outputs].flatMap(([layer, output]) => {
      const all = [...made(layer, output), dropouts.get(layer.replace(/#\d+$/, '')) ?? []].flat();
      return all.length === 0 ? [] : [[layer, all.join(', ')] as const];
    }),
  );
}
