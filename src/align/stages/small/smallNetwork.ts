/** Small networks that stand for our models in whole runs: how they are told, and what they learn from. */
import { type ImageSet, imageBytes } from '../../../data/cifar.ts';
import { InputError } from '../../../errors.ts';
import type { ModelName } from '../../../nn/models/index.ts';
import { preResNet } from '../../../nn/models/preResNet.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import type { Network } from '../../../nn/module.ts';
import { openDataset } from '../../../train/dataset.ts';
import { recipe, type TrainingSettings } from '../../../train/settings/trainingSettings.ts';
import type { SmallRunSettings } from '../../reference/manifest.ts';
import type { Reference } from '../../reference/reference.ts';

const firstOf = (set: ImageSet, count: number): ImageSet => ({
  ...set,
  images: set.images.subarray(0, count * imageBytes),
  labels: set.labels.subarray(0, count),
  count,
});

/** The first images of the reference's own set. */
export function smallDataset(reference: Reference, s: SmallRunSettings) {
  // The synthetic set is laid out as CIFAR-10 is.
  const layout = s.dataset === 'synthetic' ? 'cifar10' : s.dataset;
  const { train: all, test } = openDataset(layout, reference.syntheticDirectory());
  return { train: firstOf(all, s.images), test: firstOf(test, s.test_images) };
}

export const smallSettings = (s: SmallRunSettings, model: ModelName): TrainingSettings => ({
  ...recipe,
  model,
  dataset: s.dataset,
  batchSize: s.batch,
  numWorkers: s.workers,
  epochs: s.epochs,
  evalFreq: s.eval_freq,
  lrInit: s.lr_init,
  momentum: s.momentum,
  wd: s.weight_decay,
  swa: true,
  swaStart: s.swa_start,
  swaLr: s.swa_lr,
  swaCEpochs: s.swa_c_epochs,
  seed: s.seed,
});

/** The models that a small one can stand for. */
const narrowed: {
  readonly [M in ModelName]?: (classes: number, s: SmallRunSettings) => Network;
} = {
  vgg16bn: (classes, { narrow }) => vgg({ depth: 16, batchNorm: true, classes, narrow }),
  preresnet110: (classes, { narrow, depth = 110 }) => preResNet({ depth, classes, narrow }),
};

/** The model of the run: every width divided, and less deep where the reference says so. */
export function smallModel(s: SmallRunSettings, model: ModelName, classes: number): Network {
  const build = narrowed[model];
  if (build !== undefined) return build(classes, s);
  throw new InputError(`holds a small run of ${model}, which we have in full width only`, {
    fix: `record one of ${Object.keys(narrowed).join(', ')}`,
  });
}
