import { UsageError } from '../../errors.ts';
import type { Network } from '../module.ts';
import { type Preparation, resNetPreparation, vggPreparation } from './preparation.ts';
import { preResNet } from './preResNet.ts';
import { vgg } from './vgg.ts';
import { wideResNet } from './wideResNet.ts';

/** A model as the command line names it. */
export interface ModelSpec {
  /** As in the paper and the original repository. */
  readonly title: string;
  readonly build: (classes: number) => Network;
  /** What happens to an image before the model sees it. */
  readonly preparation: Preparation;
}

export const models = {
  vgg16: {
    title: 'VGG16',
    build: (classes) => vgg({ depth: 16, batchNorm: false, classes }),
    preparation: vggPreparation,
  },
  vgg16bn: {
    title: 'VGG16BN',
    build: (classes) => vgg({ depth: 16, batchNorm: true, classes }),
    preparation: vggPreparation,
  },
  vgg19: {
    title: 'VGG19',
    build: (classes) => vgg({ depth: 19, batchNorm: false, classes }),
    preparation: vggPreparation,
  },
  vgg19bn: {
    title: 'VGG19BN',
    build: (classes) => vgg({ depth: 19, batchNorm: true, classes }),
    preparation: vggPreparation,
  },
  preresnet110: {
    title: 'PreResNet110',
    build: (classes) => preResNet({ depth: 110, classes }),
    preparation: resNetPreparation,
  },
  preresnet164: {
    title: 'PreResNet164',
    build: (classes) => preResNet({ depth: 164, classes }),
    preparation: resNetPreparation,
  },
  wideresnet28x10: {
    title: 'WideResNet28x10',
    build: (classes) => wideResNet({ depth: 28, widen: 10, classes }),
    preparation: resNetPreparation,
  },
} as const satisfies Record<string, ModelSpec>;

export type ModelName = keyof typeof models;

/** Accepts any spelling of the original's names (`VGG16`, `vgg16`). Throws UsageError. */
export function modelName(text: string): ModelName {
  const wanted = text.toLowerCase();
  if (Object.hasOwn(models, wanted)) return wanted as ModelName;
  throw new UsageError(`there is no model "${text}"`, {
    fix: `choose one of ${Object.values(models)
      .map((m) => m.title)
      .join(', ')}`,
  });
}
