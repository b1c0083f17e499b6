/**
 * The rows of the tables in the SWA authors' README (github.com/timgaripov/swa), each with the flags of
 * its command and the accuracy it reports. A budget is the number of epochs of plain SGD.
 */
import type { ModelName } from '../../nn/models/index.ts';
import type { DatasetName, GivenSettings } from './trainingSettings.ts';

/** Percent of test images, mean ± standard deviation. */
export interface PublishedAccuracy {
  readonly mean: number;
  readonly sd: number;
}

export interface PublishedRecipe {
  readonly settings: GivenSettings;
  readonly accuracy: PublishedAccuracy;
}

type Published = Exclude<DatasetName, 'synthetic'>;

interface Family {
  readonly model: ModelName;
  readonly budget: number;
  readonly lrInit: number;
  readonly wd: number;
  readonly swaStart: number;
  readonly swaLr: { readonly [D in Published]: number };
  /** Mean and deviation in the order of `budgets`. */
  readonly accuracy: { readonly [D in Published]: readonly (readonly [number, number])[] };
}

/** SGD, then SWA: as a run is named, and how many budgets it takes. */
const budgets = [
  { name: 'sgd', swa: false, budgets: 1 },
  { name: '1budget', swa: true, budgets: 1 },
  { name: '1.25budget', swa: true, budgets: 1.25 },
  { name: '1.5budget', swa: true, budgets: 1.5 },
] as const;

const preResNet = {
  budget: 150,
  lrInit: 0.1,
  wd: 3e-4,
  swaStart: 126,
  swaLr: { cifar10: 0.01, cifar100: 0.05 },
} as const;

/** By the name that stands before the data set's in a profile. */
const families: Readonly<Record<string, Family>> = {
  vgg16: {
    model: 'vgg16',
    budget: 200,
    lrInit: 0.05,
    wd: 5e-4,
    swaStart: 161,
    swaLr: { cifar10: 0.01, cifar100: 0.01 },
    accuracy: {
      cifar10: [
        [93.25, 0.16],
        [93.59, 0.16],
        [93.7, 0.22],
        [93.64, 0.18],
      ],
      cifar100: [
        [72.55, 0.1],
        [73.91, 0.12],
        [74.17, 0.15],
        [74.27, 0.25],
      ],
    },
  },
  preresnet110: {
    model: 'preresnet110',
    ...preResNet,
    accuracy: {
      cifar10: [
        [95.03, 0.05],
        [95.51, 0.1],
        [95.65, 0.03],
        [95.82, 0.03],
      ],
      cifar100: [
        [76.77, 0.38],
        [78.75, 0.16],
        [78.91, 0.29],
        [79.1, 0.21],
      ],
    },
  },
  preresnet164: {
    model: 'preresnet164',
    ...preResNet,
    accuracy: {
      cifar10: [
        [95.28, 0.1],
        [95.56, 0.11],
        [95.77, 0.04],
        [95.83, 0.03],
      ],
      cifar100: [
        [78.49, 0.36],
        [79.77, 0.17],
        [80.18, 0.23],
        [80.35, 0.16],
      ],
    },
  },
  wrn28x10: {
    model: 'wideresnet28x10',
    budget: 200,
    lrInit: 0.1,
    wd: 5e-4,
    swaStart: 161,
    swaLr: { cifar10: 0.05, cifar100: 0.05 },
    accuracy: {
      cifar10: [
        [96.18, 0.11],
        [96.45, 0.11],
        [96.64, 0.08],
        [96.79, 0.05],
      ],
      cifar100: [
        [80.82, 0.23],
        [81.46, 0.23],
        [81.91, 0.27],
        [82.15, 0.27],
      ],
    },
  },
};

/**
 * By profile name: `wrn28x10-cifar100-1.5budget`. 1.25 budgets of 150 epochs are 188, rounded up: the README
 * gives commands for 1 and 1.5 budgets only.
 */
export const publishedRecipes: Readonly<Record<string, PublishedRecipe>> = Object.fromEntries(
  Object.entries(families).flatMap(([family, { model, budget, lrInit, wd, ...of }]) =>
    (['cifar10', 'cifar100'] as const).flatMap((dataset) =>
      budgets.map(({ name, swa, budgets: share }, i) => {
        const epochs = Math.ceil(budget * share);
        const averaging = swa ? { swaStart: of.swaStart, swaLr: of.swaLr[dataset] } : {};
        const [mean, sd] = of.accuracy[dataset][i];
        const settings = { model, dataset, epochs, lrInit, wd, dropout: true, swa, ...averaging };
        return [`${family}-${dataset}-${name}`, { settings, accuracy: { mean, sd } }] as const;
      }),
    ),
  ),
);
