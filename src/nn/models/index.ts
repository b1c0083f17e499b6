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
  /** `narrow` divides every width; 1 is the network of the paper. */
  readonly build: (classes: number, narrow?: number) => Network;
  /** The largest `narrow`, which leaves a single channel somewhere; all that divide it do. 1: the widths are fixed. */
  readonly narrowest: number;
  /** What happens to an image before the model sees it. */
  readonly preparation: Preparation;
}

export const models = {
  vgg16: {
    title: 'VGG16',
    build: (classes, narrow = 1) => vgg({ depth: 16, batchNorm: false, classes, narrow }),
    narrowest: 64,
    preparation: vggPreparation,
  },
  vgg16bn: {
    title: 'VGG16BN',
    build: (classes, narrow = 1) => vgg({ depth: 16, batchNorm: true, classes, narrow }),
    narrowest: 64,
    preparation: vggPreparation,
  },
  vgg19: {
    title: 'VGG19',
    build: (classes, narrow = 1) => vgg({ depth: 19, batchNorm: false, classes, narrow }),
    narrowest: 64,
    preparation: vggPreparation,
  },
  vgg19bn: {
    title: 'VGG19BN',
    build: (classes, narrow = 1) => vgg({ depth: 19, batchNorm: true, classes, narrow }),
    narrowest: 64,
    preparation: vggPreparation,
  },
  preresnet110: {
    title: 'PreResNet110',
    build: (classes, narrow = 1) => preResNet({ depth: 110, classes, narrow }),
    narrowest: 16,
    preparation: resNetPreparation,
  },
  preresnet164: {
    title: 'PreResNet164',
    build: (classes, narrow = 1) => preResNet({ depth: 164, classes, narrow }),
    narrowest: 16,
    preparation: resNetPreparation,
  },
  wideresnet28x10: {
    title: 'WideResNet28x10',
    build: (classes) => wideResNet({ depth: 28, widen: 10, classes }),
    narrowest: 1,
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

/** Throws UsageError where the model cannot be so narrow. */
export function checkNarrow(name: ModelName, narrow: number, where?: string): void {
  const { title, narrowest } = models[name];
  if (narrowest % narrow === 0) return;
  const fitting = Array.from({ length: narrowest }, (_, i) => i + 1).filter(
    (n) => narrowest % n === 0,
  );
  throw new UsageError(`--narrow ${narrow} does not divide the widths of ${title}`, {
    ...(where !== undefined && { where }),
    fix: fitting.length === 1 ? 'leave --narrow out' : `give one of ${fitting.join(', ')}`,
  });
}

/** A model as people know it: `VGG16BN`, `VGG16BN, widths ÷ 8`. */
export const modelTitle = ({
  model,
  narrow = 1,
}: {
  readonly model: ModelName;
  readonly narrow?: number | undefined;
}): string => (narrow === 1 ? models[model].title : `${models[model].title}, widths ÷ ${narrow}`);
