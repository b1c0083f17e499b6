/** Mistakes in residual blocks: what is added, where, and with which stride. */
import { add, avgPool2d, batchNorm, conv2d, maxPool2d, mul, relu } from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { type CauseToRead, causes } from '../causes.ts';
import { type Family, inGraph, type Look, type PlantedBug } from '../plant.ts';
import { rearranged, turned } from '../rearranged.ts';
import type { Rewrite, Site } from '../rewriteProgram.ts';

const forward = (at: string): Look & { at: string } => ({
  model: 'preresnet110',
  stage: 'forward',
  at,
});

/** Another sum at the end of a block: of its body's result and its shortcut's. */
const sum =
  (block: string, change: (body: Node, shortcut: Node, site: Site) => Node): Rewrite =>
  (node, site) =>
    node.op === 'add' && site.named(block)
      ? change(site.inputs[0], site.inputs[1], site)
      : undefined;

const readsFrom = (node: Node, name: string): boolean =>
  node.inputs.some((x) => x.op === 'input' && x.params.name === name);

const conv =
  (layer: string, change: (x: Node, w: Node, node: Node<'conv2d'>, site: Site) => Node): Rewrite =>
  (node, site) =>
    node.op === 'conv2d' && readsFrom(node, `${layer}.weight`)
      ? change(site.inputs[0], site.inputs[1], node, site)
      : undefined;

interface Kind {
  readonly name: (at: string) => string;
  readonly people: string;
  readonly rewrite: (at: string) => Rewrite;
  readonly cause: CauseToRead;
  readonly at: readonly string[];
}

const kinds: readonly Kind[] = [
  {
    name: (at) => `shortcut of ${at} left out`,
    people: 'return what the body gives',
    rewrite: (at) => sum(at, (body) => body),
    cause: {
      reads: 'the shortcut is missing: equals what the body gives',
      says: /shortcut.*missing|(missing|without).*shortcut|equals the reference's \S+conv3/,
    },
    at: ['layer1.0', 'layer2.5', 'layer3.11'],
  },
  {
    name: (at) => `shortcut of ${at} added twice`,
    people: 'add it in the block and in the loop over blocks',
    rewrite: (at) => sum(at, (body, shortcut) => add(add(body, shortcut), shortcut)),
    cause: {
      reads: 'the shortcut, a term of the sum, is added twice',
      says: /^the term (layer1\.2|layer3\.0\.downsample\.0) is added twice/,
    },
    at: ['layer1.3', 'layer3.0'],
  },
  {
    name: (at) => `body of ${at} left out`,
    people: 'drop the block, as stochastic depth does in training',
    rewrite: (at) => sum(at, (_, shortcut) => shortcut),
    cause: {
      reads: "equals its shortcut: the body's term is missing",
      says: /shortcut|body|term|equals/,
    },
    at: ['layer2.9'],
  },
  {
    name: (at) => `shortcut of ${at} rectified`,
    people: 'rectify in place what the shortcut still needs',
    rewrite: (at) => sum(at, (body, shortcut) => add(body, relu(shortcut))),
    cause: { reads: 'a ReLU on the shortcut', says: /(activation|relu).*shortcut|shortcut.*relu/i },
    at: ['layer1.5', 'layer3.4'],
  },
  {
    name: (at) => `ReLU behind the sum of ${at}`,
    people: 'come from ResNets that rectify after adding',
    rewrite: (at) => sum(at, (body, shortcut) => relu(add(body, shortcut))),
    cause: {
      reads: 'ReLU is applied, the reference has no activation',
      says: /ReLU.*(applied|computed)|no activation/i,
    },
    at: ['layer1.7', 'layer2.11'],
  },
  {
    name: (at) => `shortcut of ${at} taken behind the first norm`,
    people: 'take the other one of two kinds of pre-activation',
    rewrite: (at) =>
      sum(at, (body, shortcut, { program }) => {
        const normed = program.fetches.get(`${at}.relu1`)!;
        return shortcut.op === 'conv2d'
          ? add(body, conv2d(normed, shortcut.inputs[1], shortcut.params))
          : add(body, normed);
      }),
    cause: {
      reads: 'the shortcut is taken behind the first norm and ReLU',
      says: /shortcut.*(norm|relu|activation)|relu1/i,
    },
    at: ['layer2.0', 'layer3.8'],
  },
  {
    name: (at) => `stride of ${at} takes the other places`,
    people: 'pad a 1×1 convolution, or count from 1',
    rewrite: (at) =>
      conv(at, (x, w, { params }, site) => {
        const [, , height, width] = x.shape;
        const moved = rearranged(x, site, [height, width], (row, column) => [row + 1, column + 1]);
        return conv2d(moved, w, params);
      }),
    cause: { reads: 'shifted: the stride takes the other places', says: /shifted|stride/ },
    at: ['layer2.0.downsample.0', 'layer3.0.downsample.0'],
  },
  {
    name: (at) => `kernel of ${at} turned`,
    people: 'turn the kernel, as scipy.signal.convolve does',
    rewrite: (at) => conv(at, (x, w, { params }, site) => conv2d(x, turned(w, site), params)),
    cause: causes.weightTurned,
    at: ['layer2.7.conv2'],
  },
  {
    name: (at) => `${at} with eps 1e-3`,
    people: "keep Keras's default in one layer",
    rewrite:
      (at) =>
      (node, { inputs: [x, weight, bias, mean, variance] }) =>
        node.op === 'batchNorm' && readsFrom(node, `${at}.weight`)
          ? batchNorm(x, { weight, bias, mean, variance }, 1e-3)
          : undefined,
    cause: { reads: "eps is 1e-3, the reference's 1e-5", says: /\beps(ilon)? (1\.0e-3|0\.001)\b/ },
    at: ['layer1.2.bn2', 'layer3.6.bn1', 'bn'],
  },
  {
    name: (at) => `${at} takes the maximum`,
    people: 'take the other pooling of a library',
    rewrite:
      (at) =>
      (node, { inputs: [x], named }) =>
        node.op === 'avgPool2d' && named(at) ? maxPool2d(x, node.params) : undefined,
    cause: {
      reads: 'the maximum, the reference takes the average',
      says: /maximum|^max pooling is computed/,
    },
    at: ['avgpool'],
  },
  {
    name: (at) => `${at} adds up`,
    people: 'sum over a map where the mean belongs',
    rewrite:
      (at) =>
      (node, { inputs: [x], named }) =>
        node.op === 'avgPool2d' && named(at) ? mul(avgPool2d(x, node.params), 64) : undefined,
    cause: {
      reads: "64 × the reference's: summed, not averaged",
      says: /summed|^64 ×|the sum of each window/,
    },
    at: ['avgpool'],
  },
];

export const residualBlocks: Family = {
  name: 'residual blocks',
  looks: [{ model: 'preresnet110', stage: 'forward' }],
  bugs: kinds.flatMap(({ name, people, rewrite, cause, at: places }) =>
    places.map(
      (at): PlantedBug => ({
        name: name(at),
        people,
        plants: [inGraph(rewrite(at))],
        cause,
        caught: forward(at),
      }),
    ),
  ),
};
