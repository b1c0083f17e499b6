import {
  batchNormLayer,
  convLayer,
  dropoutLayer,
  flatten,
  linearLayer,
  maxPoolLayer,
  reluLayer,
} from '../layers.ts';
import { type Module, type Network, sequential } from '../module.ts';
import { cifarImage } from './cifarImage.ts';

/** Output channels of the five stages; a 2×2 pooling ends each. */
const widths = [64, 128, 256, 512, 512] as const;

/** 3×3 convolutions in each stage: configurations D and E of the paper. */
const plans = { 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4] } as const;

export interface VggOptions {
  readonly depth: keyof typeof plans;
  readonly batchNorm: boolean;
  readonly classes: number;
  /** Divides every width; 1 is the real network. Tests on slow devices use a narrow one. */
  readonly narrow?: number;
}

/**
 * VGG for 32×32 images (Simonyan & Zisserman 2015, as adapted by the SWA authors): five pooled stages
 * of 3×3 convolutions, then two hidden layers of 512 with dropout before each.
 * Image [n, 3, 32, 32] → logits [n, classes].
 */
export function vgg({ depth, batchNorm, classes, narrow = 1 }: VggOptions): Network {
  const features: Module[] = [];
  const convs: { readonly name: string; readonly out: number }[] = [];
  let from = 3;
  const next = (): string => `features.${features.length}`;
  plans[depth].forEach((count, stage) => {
    const to = widths[stage] / narrow;
    for (let i = 0; i < count; i++) {
      convs.push({ name: next(), out: to });
      features.push(convLayer(next(), { from, to }, { kernel: 3, padding: 1 }));
      if (batchNorm) features.push(batchNormLayer(next(), to));
      features.push(reluLayer(next()));
      from = to;
    }
    features.push(maxPoolLayer(next(), 2));
  });
  const hidden = 512 / narrow;
  const network = sequential([
    ...features,
    flatten,
    dropoutLayer('classifier.0', 0.5, from),
    linearLayer('classifier.1', { from, to: hidden }),
    reluLayer('classifier.2'),
    dropoutLayer('classifier.3', 0.5, hidden),
    linearLayer('classifier.4', { from: hidden, to: hidden }),
    reluLayer('classifier.5'),
    linearLayer('classifier.6', { from: hidden, to: classes }),
  ]);
  // PyTorch has drawn every layer's default by now; the authors then draw the convolutions anew:
  // N(0, 2 / (k²·out)), "fan-out", biases zero.
  const redrawn = convs.flatMap(({ name, out }) => [
    { kind: 'normal', name: `${name}.weight`, mean: 0, std: Math.sqrt(2 / (9 * out)) } as const,
    { kind: 'zeros', name: `${name}.bias` } as const,
  ]);
  return { ...network, image: cifarImage, init: [...network.init, ...redrawn] };
}
