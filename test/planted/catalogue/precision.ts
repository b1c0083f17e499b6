/** Fewer digits than float32 has, in a part of the computation. */
import { avgPool2d, batchNorm, conv2d, logSoftmax, matmul } from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { type CauseToRead, causes } from '../causes.ts';
import { type Family, inGraph, type Look, type PlantedBug } from '../plant.ts';
import type { Rewrite } from '../rewriteProgram.ts';
import { inBfloat16, inFloat16, inTf32 } from '../roundedTo.ts';

const ops = (at: string): Look & { at: string } => ({ model: 'vgg16', stage: 'ops', at });

type Rounding = (x: Node) => Node;

/** The product of a layer's input and weight, both rounded before; all layers where none is named. */
const product =
  (rounded: Rounding, layer?: string): Rewrite =>
  (node, { inputs: [x, w] }) => {
    const [, weight] = node.inputs;
    if (layer !== undefined) {
      if (weight?.op !== 'input' || weight.params.name !== `${layer}.weight`) return undefined;
    }
    if (node.op === 'conv2d') return conv2d(rounded(x), rounded(w), node.params);
    if (node.op === 'matmul' && node.params.transposeB)
      return matmul(rounded(x), rounded(w), node.params);
    return undefined;
  };

interface Rounded {
  readonly name: string;
  readonly people: string;
  readonly rewrite: Rewrite;
  readonly cause: CauseToRead;
  readonly caught: PlantedBug['caught'];
}

const rows: readonly Rounded[] = [
  {
    name: 'convolutions in TF32',
    people: "leave a graphics card's default on",
    rewrite: product(inTf32),
    cause: causes.float16,
    caught: ops('conv2d/y'),
  },
  {
    name: 'the softmax in bfloat16',
    people: 'leave the loss inside autocast',
    rewrite: (node, { inputs: [x] }) =>
      node.op === 'logSoftmax' ? logSoftmax(inBfloat16(x)) : undefined,
    cause: causes.bfloat16,
    caught: ops('logSoftmax of large logits/y'),
  },
  {
    name: 'batch norm in float16',
    people: 'call half() on the whole model',
    rewrite: (node, { inputs: [x, weight, bias, mean, variance] }) =>
      node.op === 'batchNorm'
        ? inFloat16(batchNorm(inFloat16(x), { weight, bias, mean, variance }, node.params.eps))
        : undefined,
    cause: causes.float16,
    caught: ops('batchNorm in training/y'),
  },
  {
    name: 'average pooling in bfloat16',
    people: 'add up in the type of the maps',
    rewrite: (node, { inputs: [x] }) =>
      node.op === 'avgPool2d' ? inBfloat16(avgPool2d(x, node.params)) : undefined,
    cause: causes.bfloat16,
    caught: ops('avgPool2d of unequal sides/y'),
  },
  {
    name: 'one convolution in bfloat16',
    people: 'cast a layer and forget to cast back',
    rewrite: product(inBfloat16, 'features.14'),
    cause: causes.bfloat16,
    caught: { model: 'vgg16', stage: 'forward', at: 'features.14' },
  },
  {
    name: 'one linear layer in float16',
    people: 'quantise what is largest',
    rewrite: product(inFloat16, 'classifier.1'),
    cause: causes.float16,
    caught: { model: 'vgg16', stage: 'forward', at: 'classifier.1' },
  },
  {
    name: 'one convolution of a residual block in bfloat16',
    people: 'cast a layer and forget to cast back',
    rewrite: product(inBfloat16, 'layer2.4.conv2'),
    cause: causes.bfloat16,
    caught: { model: 'preresnet110', stage: 'forward', at: 'layer2.4.conv2' },
  },
  {
    name: "a residual network's first convolution in TF32",
    people: "leave a graphics card's default on for one layer",
    rewrite: product(inTf32, 'conv1'),
    cause: causes.float16,
    caught: { model: 'preresnet110', stage: 'forward', at: 'conv1' },
  },
  {
    name: 'one gradient in bfloat16',
    people: 'send gradients in half the bytes',
    rewrite: (node, { program, same }) =>
      node.op === 'conv2dWeightGrad' && node === program.fetches.get('features.14.weight.grad')
        ? inBfloat16(same())
        : undefined,
    cause: causes.bfloat16,
    caught: { model: 'vgg16bn', stage: 'backward', at: 'features.14' },
  },
  {
    name: 'weights kept in bfloat16',
    people: 'keep no float32 copy for small updates to add up in',
    rewrite: (node, { program, same }) =>
      program.name === 'training step' &&
      [...program.state.values()].some(({ role, next }) => role === 'parameter' && next === node)
        ? inBfloat16(same())
        : undefined,
    cause: causes.bfloat16,
    caught: { model: 'preresnet110', stage: 'epochs', at: 'epoch 1/conv1.weight' },
  },
  {
    name: 'averaged in bfloat16',
    people: 'average in the type that weights are sent in',
    rewrite: (node, { program, same }) =>
      program.name === 'SWA average' &&
      [...program.state.values()].some(({ next }) => next === node)
        ? inBfloat16(same())
        : undefined,
    cause: causes.bfloat16,
    caught: { model: 'preresnet110', stage: 'epochs', at: 'average of 1/conv1.weight' },
  },
];

export const precision: Family = {
  name: 'precision',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'forward' },
    { model: 'preresnet110', stage: 'forward' },
    { model: 'preresnet110', stage: 'epochs' },
    { model: 'vgg16bn', stage: 'backward' },
  ],
  bugs: rows.map(({ rewrite, ...bug }): PlantedBug => ({ ...bug, plants: [inGraph(rewrite)] })),
};
