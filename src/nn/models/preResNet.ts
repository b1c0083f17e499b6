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

/** A bottleneck's two inner convolutions have a quarter of its output channels. */
const expansion = 4;

/** Inner channels and first stride of the three stages; maps of 32×32, 16×16 and 8×8. */
const stages = [
  { inner: 16, stride: 1 },
  { inner: 32, stride: 2 },
  { inner: 64, stride: 2 },
] as const;

export interface PreResNetOptions {
  /** 9n + 2, for n blocks of three convolutions a stage. */
  readonly depth: number;
  readonly classes: number;
  /** Divides every width; 1 is the real network. */
  readonly narrow?: number;
}

interface BlockShape {
  readonly from: number;
  readonly inner: number;
  readonly stride: number;
}

/** Normalise, rectify, convolve: three times, then the sum with what came in. */
function bottleneck(layer: string, { from, inner, stride }: BlockShape): Module {
  const to = inner * expansion;
  const conv = (name: string, channels: { from: number; to: number }, kernel: number, step = 1) =>
    convLayer(`${layer}.${name}`, channels, {
      kernel,
      stride: step,
      padding: (kernel - 1) / 2,
      bias: false,
    });
  const before = (i: number, channels: number): Module[] => [
    batchNormLayer(`${layer}.bn${i}`, channels),
    reluLayer(`${layer}.relu${i}`),
  ];
  const body = sequential([
    ...before(1, from),
    conv('conv1', { from, to: inner }, 1),
    ...before(2, inner),
    conv('conv2', { from: inner, to: inner }, 3, stride),
    ...before(3, inner),
    conv('conv3', { from: inner, to }, 1),
  ]);
  if (stride === 1 && from === to) return residual(layer, body);
  const shortcut = conv('downsample.0', { from, to }, 1, stride);
  // The authors make the shortcut before the block it goes into.
  return { ...residual(layer, body, shortcut), init: [...shortcut.init, ...body.init] };
}

/**
 * ResNet with normalisation before each convolution (He et al. 2016, "Identity Mappings in Deep Residual
 * Networks", as adapted by the SWA authors): bottleneck blocks, shortcuts of a bare 1×1 convolution.
 * Image [n, 3, 32, 32] → logits [n, classes].
 */
export function preResNet({ depth, classes, narrow = 1 }: PreResNetOptions): Network {
  const blocks = (depth - 2) / 9;
  const stem = 16 / narrow;
  let from = stem;
  const body = stages.flatMap(({ inner, stride }, stage) =>
    Array.from({ length: blocks }, (_, i) => {
      const shape = { from, inner: inner / narrow, stride: i === 0 ? stride : 1 };
      from = shape.inner * expansion;
      return bottleneck(`layer${stage + 1}.${i}`, shape);
    }),
  );
  const network = sequential([
    convLayer('conv1', { from: 3, to: stem }, { kernel: 3, padding: 1, bias: false }),
    ...body,
    batchNormLayer('bn', from),
    reluLayer('relu'),
    avgPoolLayer('avgpool', 8),
    flatten,
    linearLayer('fc', { from, to: classes }),
  ]);
  // PyTorch has drawn every layer's default by now; the authors then draw the convolutions anew, in the
  // order of modules(), which is that of the state: N(0, 2 / (k²·out)).
  const redrawn = network.state
    .filter(({ shape }) => shape.length === 4)
    .map(({ name, shape: [out, , kh, kw] }) => {
      const std = Math.sqrt(2 / (kh * kw * out));
      return { kind: 'normal', name, mean: 0, std } as const;
    });
  return { ...network, image: cifarImage, init: [...network.init, ...redrawn] };
}
