import {
  avgPoolLayer,
  batchNormLayer,
  convLayer,
  flatten,
  linearLayer,
  reluLayer,
} from '../layers.ts';
import { type Module, type Network, residual, sequential } from '../module.ts';
import { cifarImage } from './cifarImage.ts';

const stemWidth = 16;

/** Channels before widening and first stride of the three stages; maps of 32×32, 16×16 and 8×8. */
const stages = [
  { width: 16, stride: 1 },
  { width: 32, stride: 2 },
  { width: 64, stride: 2 },
] as const;

export interface WideResNetOptions {
  /** 6n + 4, for n blocks of two convolutions a stage. */
  readonly depth: number;
  readonly widen: number;
  readonly classes: number;
}

/**
 * Normalise, rectify, convolve: twice, then the sum with what came in; the second convolution strides.
 * The authors' dropout between them has p = 0: it draws nothing and changes nothing, and is left out.
 */
function wideBlock(layer: string, from: number, to: number, stride: number): Module {
  const body = sequential([
    batchNormLayer(`${layer}.bn1`, from),
    reluLayer(`${layer}.relu1`),
    convLayer(`${layer}.conv1`, { from, to }, { kernel: 3, padding: 1 }),
    batchNormLayer(`${layer}.bn2`, to),
    reluLayer(`${layer}.relu2`),
    convLayer(`${layer}.conv2`, { from: to, to }, { kernel: 3, stride, padding: 1 }),
  ]);
  return stride === 1 && from === to
    ? residual(layer, body)
    : residual(layer, body, convLayer(`${layer}.shortcut.0`, { from, to }, { kernel: 1, stride }));
}

/**
 * Wide residual network (Zagoruyko & Komodakis 2016, as adapted by the SWA authors). Their file divides the
 * depth with `/`: (28 − 4) / 6 is 4 blocks a stage, whole in Python 2 as in Python 3, and `int` follows. Its
 * `conv_init` is called by nobody, so every layer keeps PyTorch's default draws. The last normalisation has
 * momentum 0.9, all others 0.1.
 * Image [n, 3, 32, 32] → logits [n, classes].
 */
export function wideResNet({ depth, widen, classes }: WideResNetOptions): Network {
  const blocks = Math.floor((depth - 4) / 6);
  let from = stemWidth;
  const body = stages.flatMap(({ width, stride }, stage) =>
    Array.from({ length: blocks }, (_, i) => {
      const to = width * widen;
      const block = wideBlock(`layer${stage + 1}.${i}`, from, to, i === 0 ? stride : 1);
      from = to;
      return block;
    }),
  );
  const network = sequential([
    convLayer('conv1', { from: 3, to: stemWidth }, { kernel: 3, padding: 1 }),
    ...body,
    batchNormLayer('bn1', from, { momentum: 0.9 }),
    reluLayer('relu'),
    avgPoolLayer('avgpool', 8),
    flatten,
    linearLayer('linear', { from, to: classes }),
  ]);
  return { ...network, image: cifarImage };
}
