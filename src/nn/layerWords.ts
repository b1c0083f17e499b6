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
  /** Whether the layer adds a bias. */
  readonly biased: boolean;
  /** How much of a batch a norm's running statistics take in. */
  readonly momentum: number | undefined;
}

const pairIn = ([height, width]: Pair): string =>
  height === width ? String(height) : `(${height}, ${width})`;
const alike = (a: Pair, b: Pair): boolean => a[0] === b[0] && a[1] === b[1];

/** A keyword of a call, where it is not the usual value. */
const keyword = (key: string, value: Pair, usual: Pair): string[] =>
  alike(value, usual) ? [] : [`${key}=${pairIn(value)}`];
const call = (name: string, ...values: readonly (string | number)[]): string =>
  `${name}(${values.join(', ')})`;
const unbiased = ({ biased }: Around): string[] => (biased ? [] : ['bias=False']);
const pool = (name: string, { kernel, stride, padding }: Window): string =>
  call(
    name,
    `kernel_size=${pairIn(kernel)}`,
    ...keyword('stride', stride, kernel),
    ...keyword('padding', padding, [0, 0]),
  );

/** As Python prints it: 1e-05. */
const inPython = (x: number): string =>
  x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential().replace(/e-(\d)$/, 'e-0$1') : String(x);

/** What one op does in a layer, as PyTorch's module is made; undefined where its being there goes without saying. */
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
  sqrt: () => 'sqrt',
  relu: () => call('ReLU'),
  reluGrad: undefined,
  equal: undefined,
  matmul: ({ inputs: [, weight], params }, around) => {
    const [from, to] = params.transposeB ? [weight.shape[1], weight.shape[0]] : weight.shape;
    return call('Linear', from, to, ...unbiased(around));
  },
  conv2d: ({ inputs: [, weight], params: { stride, padding } }, around) => {
    const [to, from, height, width] = weight.shape;
    return call(
      'Conv2d',
      from,
      to,
      `kernel_size=${pairIn([height, width])}`,
      ...keyword('stride', stride, [1, 1]),
      ...keyword('padding', padding, [0, 0]),
      ...unbiased(around),
    );
  },
  conv2dInputGrad: undefined,
  conv2dWeightGrad: undefined,
  maxPool2d: ({ params }) => pool('MaxPool2d', params),
  maxPool2dGrad: undefined,
  avgPool2d: ({ params }) => pool('AvgPool2d', params),
  avgPool2dGrad: undefined,
  batchNorm: ({ inputs: [x], params: { eps } }, { momentum }) =>
    call(
      'BatchNorm2d',
      x.shape[1],
      `eps=${inPython(eps)}`,
      ...(momentum === undefined ? [] : [`momentum=${inPython(momentum)}`]),
    ),
  reshape: undefined,
  transpose: undefined,
  broadcastTo: undefined,
  reduceSum: ({ params: { axes } }) => `sum over ${axes.join(', ')}`,
  logSoftmax: () => call('LogSoftmax', 'dim=1'),
  oneHot: undefined,
  argMax: () => 'argmax',
};

const wordsOf = (node: Node, around: Around): string | undefined =>
  (words[node.op] as ((node: Node, around: Around) => string | undefined) | undefined)?.(
    node,
    around,
  );

/** By the names of layers: the share that their running statistics take of a batch. */
function momentaOf(network: Network): ReadonlyMap<string, number> {
  const pass = forwardPass(network, { mode: 'train', dropout: false });
  network.forward(input('images', [2, ...network.image]), pass);
  return new Map(
    [...pass.bufferUpdates].flatMap(([name, { inputs }]) => {
      const [, taken] = inputs;
      const share = taken?.inputs.find(({ op }) => op === 'constant') as
        | Node<'constant'>
        | undefined;
      const [, layer] = /^(.*)\.running_mean$/.exec(name) ?? [];
      return layer === undefined || share === undefined
        ? []
        : [[layer, share.params.value] as const];
    }),
  );
}

/**
 * What every layer of a network is, told from the graph it builds, as PyTorch's module is made, what is usual left out:
 * `Conv2d(64, 128, kernel_size=3, stride=2)`, `BatchNorm2d(64, eps=1e-05, momentum=0.1)`. By the layer's name.
 */
export function layerWords(network: Network): ReadonlyMap<string, string> {
  const pass = forwardPass(network, { mode: 'eval' });
  network.forward(input('images', [1, ...network.image]), pass);
  const momenta = momentaOf(network);
  const state = new Set<Node>(pass.state.values());
  const isState = (node: Node): boolean =>
    state.has(node) || (node.op === 'reshape' && isState(node.inputs[0]));
  // In evaluation a dropout hands on what the layer before it made, which keeps its name.
  const makers = new Map<Node, string>();
  for (const [layer, node] of pass.outputs) if (!makers.has(node)) makers.set(node, layer);
  const dropouts = new Map(
    network.dropouts.map(({ layer, p }) => [layer, call('Dropout', `p=${p}`)]),
  );

  /** What the layer does to the outputs of the layers before it. */
  const made = (layer: string, output: Node): string[] => {
    if (makers.get(output) !== layer) return [];
    const before = new Set([...makers.keys()].filter((node) => node !== output));
    const piece = topologicalOrder([output], before).filter((node) => !before.has(node));
    const around: Around = {
      isState,
      layerOf: (node) => makers.get(node),
      biased: piece.some(({ op, inputs }) => op === 'add' && inputs.some(isState)),
      momentum: momenta.get(layer),
    };
    return piece.flatMap((node) => wordsOf(node, around) ?? []);
  };
  return new Map(
    [...pass.outputs].flatMap(([layer, output]) => {
      const all = [...made(layer, output), dropouts.get(layer.replace(/#\d+$/, '')) ?? []].flat();
      return all.length === 0 ? [] : [[layer, all.join(', ')] as const];
    }),
  );
}
