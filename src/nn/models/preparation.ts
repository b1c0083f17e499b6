/** How a model wants its images: part of the original's model definition, and so of ours. */
export interface Normalisation {
  /** Per channel, of pixels scaled to [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Which of the two random transforms of training comes first; the other one follows. */
export type FirstTransform = 'flip' | 'crop';

export interface Preparation {
  readonly normalisation: Normalisation;
  /** Decides the order of the draws, and where a mirrored image is cropped. */
  readonly firstTransform: FirstTransform;
}

/** What the SWA authors' models/vgg.py does: ImageNet's statistics, not CIFAR-10's. */
export const vggPreparation: Preparation = {
  normalisation: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  firstTransform: 'flip',
};

/** What their models/preresnet.py and models/wide_resnet.py do: the usual CIFAR-10 statistics, for CIFAR-100 too. */
export const resNetPreparation: Preparation = {
  normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  firstTransform: 'crop',
};
