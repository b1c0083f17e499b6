import {
  batchNormLayer,
  convLayer,
  dropoutLayer,
  flatten,
  linearLayer,
  maxPoolLayer,
  reluLayer,
} from '../layers.ts';
import { type Module, sequential } from '../module.ts';

type Plan = readonly (number | 'pool')[];

/** Output channels of the 3×3 convolutions between the poolings: configurations D and E of the paper. */
const plans = {
  16: [
    64,
    64,
    'pool',
    128,
    128,
    'pool',
    256,
    256,
    256,
    'pool',
    512,
    512,
    512,
    'pool',
    512,
    512,
    512,
    'pool',
  ],
  19: [
    64,
    64,
    'pool',
    128,
    128,
    'pool',
    256,
    256,
    256,
    256,
    'pool',
    512,
    512,
    512,
    512,
    'pool',
    512,
    512,
    512,
    512,
    'pool',
  ],
} satisfies Record<number, Plan>;

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
export function vgg({ depth, batchNorm, classes, narrow = 1 }: VggOptions): Module {
  const features: Module[] = [];
  const convs: { readonly name: string; readonly out: number }[] = [];
  let from = 3;
  const next = (): string => `features.${features.length}`;
  for (const entry of plans[depth]) {
    if (entry === 'pool') {
      features.push(maxPoolLayer(next(), 2));
      continue;
    }
    const to = entry / narrow;
    convs.push({ name: next(), out: to });
    features.push(convLayer(next(), { from, to }, { kernel: 3, padding: 1 }));
    if (batchNorm) features.push(batchNormLayer(next(), to));
    features.push(reluLayer(next()));
    from = to;
  }
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
  return { ...network, init: [...network.init, ...redrawn] };
}
