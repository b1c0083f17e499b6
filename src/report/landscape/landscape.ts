import type { LandscapeSettings } from '../../landscape/keptPoints.ts';
import type { SurveyedPoint } from '../../landscape/survey.ts';

export const landscapeKinds = ['line', 'plane', 'rays'] as const;
export type LandscapeKind = (typeof landscapeKinds)[number];

/** A landscape as it was measured: what its files and pictures are made of. */
export interface Landscape {
  readonly kind: LandscapeKind;
  /** "VGG16BN" */
  readonly model: string;
  readonly dataset: string;
  readonly classes: number;
  /** The solutions it goes through, or begins at. */
  readonly solutions: readonly { readonly name: string; readonly sha256: string }[];
  /** How many images the training loss, batch norm's statistics and the test error are of. */
  readonly images: {
    readonly train: number;
    readonly refresh: number;
    readonly test: number;
    /** In the data set. */
    readonly ofTrain: number;
    readonly ofTest: number;
  };
  /** What ran it. */
  readonly backend: string;
  readonly settings: LandscapeSettings;
  /** In the order in which they were measured: the solutions first. */
  readonly points: readonly SurveyedPoint[];
}

/** How it is drawn. */
export interface DrawOptions {
  /** Weight decay whose half times the squared weight norm is added to the training loss, as the optimizer minimises it. */
  readonly l2: number;
  /** Contour lines end here; what guessing gives where it is not said. */
  readonly clipLoss?: number;
  /** In percent. */
  readonly clipError?: number;
}

/** The training loss that is drawn. */
export const lossOf =
  ({ l2 }: Pick<DrawOptions, 'l2'>) =>
  ({ measured: { trainLoss, norm } }: SurveyedPoint): number =>
    trainLoss + (l2 / 2) * norm ** 2;

/** Share of test images taken for another class, in percent. */
export const errorOf =
  ({ images: { test } }: Landscape) =>
  ({ measured: { testWrong } }: SurveyedPoint): number =>
    (100 * testWrong) / test;

const some = (n: number, of: number, what: string): string =>
  n === of
    ? `all ${of.toLocaleString('en')} ${what} images`
    : `the first ${n.toLocaleString('en')} of ${of.toLocaleString('en')} ${what} images`;

/** Which images everything is of: sentences for the terminal, the page and the picture. */
export function imagesUsed({ images }: Pick<Landscape, 'images'>, batchNorm: boolean): string[] {
  const { train, refresh, test, ofTrain, ofTest } = images;
  const ofRefresh = refresh === train ? 'the same images' : some(refresh, ofTrain, 'training');
  return [
    `training loss on ${some(train, ofTrain, 'training')}, test error on ${some(test, ofTest, 'test')}`,
    ...(batchNorm ? [`batch-norm statistics of every point, from ${ofRefresh}`] : []),
  ];
}
