/** Mistakes in what the network is shown. */
import type { Augmentation } from '../../../src/data/augmentation.ts';
import { type ImageSet, imageBytes } from '../../../src/data/cifar.ts';
import { augmentedBy, flipThenCrop } from '../augmented.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Augmenting = typeof import('../../../src/data/augmentation.ts');
type Reading = typeof import('../../../src/data/cifar.ts');
type Loading = typeof import('../../../src/data/loader.ts');
type Passes = typeof import('../../../src/torch/dataLoader.ts');

const { fround } = Math;

/** Another value for each byte of each channel. */
const pixels = (value: (byte: number, mean: number, std: number) => number): Plant =>
  inModule<Augmenting>('data/augmentation.ts', () => ({
    normalisationTable: ({ mean, std }) =>
      Float32Array.from({ length: 3 * 256 }, (_, i) => {
        const channel = Math.floor(i / 256);
        return value(i % 256, mean[channel], std[channel]);
      }),
  }));

/** Another set wherever one is read. */
const read = (change: (set: ImageSet) => ImageSet): Plant =>
  inModule<Reading>('data/cifar.ts', (real) => ({
    readCifar10: (...from) => change(real.readCifar10(...from)),
    readCifar: (...from) => change(real.readCifar(...from)),
  }));

/** Other bytes for each image. */
const bytes = (change: (images: Uint8Array) => Uint8Array): Plant =>
  read((set) => ({ ...set, images: change(set.images) }));

const rearrangedBytes = (from: (at: number) => number): Plant =>
  bytes((images) => images.map((_, i) => images[i - (i % imageBytes) + from(i % imageBytes)]));

const augmented = (
  augment: (
    images: Uint8Array,
    order: Int32Array,
    drawn: Augmentation,
    table: Float32Array,
    real: Augmenting,
  ) => Float32Array,
): Plant =>
  inModule<Augmenting>('data/augmentation.ts', (real) => ({
    augmentImages: (images, order, drawn, table) => augment(images, order, drawn, table, real),
  }));

const evaluated = (change: (set: ImageSet) => ImageSet): Plant =>
  inModule<Loading>('data/loader.ts', (real) => ({
    evaluationBatches: (set, ...rest) => real.evaluationBatches(change(set), ...rest),
  }));

const epochs = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'epochs', at });

const plane = 1024;

export const data: Family = {
  name: 'data',
  looks: [
    { model: 'vgg16bn', stage: 'epochs' },
    { model: 'vgg16', stage: 'metric' },
  ],
  bugs: [
    {
      name: "CIFAR-10's constants instead of ImageNet's",
      people: "normalise by CIFAR-10's own statistics, as most CIFAR code does",
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          normalisationTable: () =>
            real.normalisationTable({
              mean: [0.4914, 0.4822, 0.4465],
              std: [0.2023, 0.1994, 0.201],
            }),
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: epochs('images'),
    },
    {
      name: 'pixels divided by 256',
      people: 'count the values of a byte',
      plants: [pixels((v, mean, std) => fround(fround(v / 256) - fround(mean)) / fround(std))],
      cause: { reads: 'pixels are divided by 256, not by 255', says: /256/ },
      caught: epochs('images'),
    },
    {
      name: 'pixels not divided at all',
      people: 'forget ToTensor',
      plants: [pixels((v, mean, std) => fround(v - fround(mean)) / fround(std))],
      cause: { reads: 'pixels from 0 to 255, not from 0 to 1', says: /pixels from 0 to 255/ },
      caught: epochs('images'),
    },
    {
      name: 'pixels divided as whole numbers',
      people: 'come from Python 2, or divide bytes',
      plants: [pixels((v, mean, std) => fround(Math.trunc(v / 255) - fround(mean)) / fround(std))],
      cause: {
        reads: 'pixels are 0 or 1: divided as whole numbers',
        says: /whole|0 or 1|truncated/,
      },
      caught: epochs('images'),
    },
    {
      name: 'not divided by the deviation',
      people: 'subtract the mean and stop',
      plants: [pixels((v, mean) => fround(v / 255) - fround(mean))],
      cause: { reads: 'not divided by the deviation', says: /deviation|std/ },
      caught: epochs('images'),
    },
    {
      name: 'divided by the variance',
      people: 'take std for a variance',
      plants: [pixels((v, mean, std) => (fround(v / 255) - mean) / (std * std))],
      cause: { reads: 'divided by the variance', says: /variance|std²|deviation twice/ },
      caught: epochs('images'),
    },
    {
      name: 'normalised in float64',
      people: 'round once at the end instead of at each step',
      plants: [pixels((v, mean, std) => (v / 255 - mean) / std)],
      cause: causes.rounding,
      caught: epochs('images'),
    },
    {
      name: 'BGR instead of RGB',
      people: 'read images with OpenCV',
      plants: [rearrangedBytes((at) => (2 - Math.floor(at / plane)) * plane + (at % plane))],
      cause: {
        reads: 'channels are in reverse (RGB for BGR)',
        says: /BGR|channels are in reverse/,
      },
      caught: epochs('images'),
    },
    {
      name: 'planes read as interleaved pixels',
      people: 'reshape to [32, 32, 3] what lies as [3, 32, 32]',
      plants: [rearrangedBytes((at) => (at % plane) * 3 + Math.floor(at / plane))],
      cause: { reads: 'numbers lie in the order NHWC', says: /HWC|interleaved/ },
      caught: epochs('images'),
    },
    {
      name: 'rows and columns swapped',
      people: 'read images as [x, y]',
      plants: [
        rearrangedBytes((at) => {
          const [row, column] = [Math.floor((at % plane) / 32), at % 32];
          return Math.floor(at / plane) * plane + column * 32 + row;
        }),
      ],
      cause: { reads: 'rows and columns are exchanged', says: /rows and columns|WH\b|transposed/ },
      caught: epochs('images'),
    },
    {
      name: 'labels shifted by one image',
      people: 'read the label behind its image instead of before it',
      plants: [
        read((set) => {
          const { labels, count } = set;
          return { ...set, labels: labels.map((_, i) => labels[(i + 1) % count]) };
        }),
      ],
      cause: { reads: 'labels are those of the next image', says: /next image|shifted|off by one/ },
      caught: epochs('labels'),
    },
    {
      name: 'crop before flip',
      people: 'list the transforms in the other order',
      plants: [
        augmented((images, order, drawn, table) =>
          augmentedBy(images, order, drawn, table, (row, column, { flip, top, left }) => ({
            row: top + row,
            column: left + (flip ? 31 - column : column),
          })),
        ),
      ],
      cause: {
        reads: 'cropped before flipped: columns are shifted where an image is flipped',
        says: /crop|columns.*shifted/,
      },
      caught: epochs('images'),
    },
    {
      name: 'crop after normalising',
      people: 'pad with zeros what has been normalised: grey instead of black',
      plants: [
        augmented((images, order, drawn, table) =>
          augmentedBy(images, order, drawn, table, flipThenCrop, () => 0),
        ),
      ],
      cause: causes.border,
      caught: epochs('images'),
    },
    {
      name: 'padded by reflection',
      people: "take another library's default border",
      plants: [
        augmented((images, order, drawn, table) =>
          augmentedBy(images, order, drawn, table, flipThenCrop, (_, place, pixel) => {
            const inside = (x: number): number => 31 - Math.abs(31 - Math.abs(x - 4));
            return pixel(inside(place.row), inside(place.column));
          }),
        ),
      ],
      cause: causes.border,
      caught: epochs('images'),
    },
    {
      name: 'flipped upside down',
      people: 'mirror the wrong axis',
      plants: [
        augmented((images, order, drawn, table) =>
          augmentedBy(images, order, drawn, table, (row, column, { flip, top, left }) => ({
            row: flip ? 39 - top - row : top + row,
            column: left + column,
          })),
        ),
      ],
      cause: { reads: 'rows are in reverse, not columns', says: /rows.*reverse|upside down/ },
      caught: epochs('images'),
    },
    {
      name: 'flipped when it should not be',
      people: 'compare the draw the other way round',
      plants: [
        augmented((images, order, drawn, table, real) =>
          real.augmentImages(
            images,
            order,
            { ...drawn, flip: drawn.flip.map((f) => 1 - f) },
            table,
          ),
        ),
      ],
      cause: { reads: 'flipped images are not, and the others are', says: /flip|columns.*reverse/ },
      caught: epochs('images'),
    },
    {
      name: 'crop offsets swapped',
      people: 'give left for top',
      plants: [
        augmented((images, order, { flip, top, left }, table, real) =>
          real.augmentImages(images, order, { flip, top: left, left: top }, table),
        ),
      ],
      cause: { reads: 'rows and columns of the crop are exchanged', says: /crop/ },
      caught: epochs('images'),
    },
    {
      name: 'trained without augmentation',
      people: 'leave the transforms out',
      plants: [
        augmented((images, order, _, table, real) => real.plainImages(images, order, table)),
      ],
      cause: causes.notAugmented,
      caught: epochs('images'),
    },
    {
      name: 'last batch of an epoch dropped',
      people: 'set drop_last, or divide as whole numbers',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', () => ({
          batchCount: (size, batchSize) => Math.floor(size / batchSize),
        })),
      ],
      cause: causes.shortBatchDropped,
      caught: epochs('batch sizes'),
    },
    {
      name: 'test images augmented',
      people: 'share one transform between both sets',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          plainImages: (images, order, table) =>
            real.augmentImages(
              images,
              order,
              {
                flip: new Uint8Array(order.length).fill(1),
                top: new Uint8Array(order.length).fill(2),
                left: new Uint8Array(order.length).fill(6),
              },
              table,
            ),
        })),
      ],
      cause: { reads: 'test images are flipped and cropped', says: /augment|flip|crop|shifted/ },
      caught: epochs('test images'),
    },
    {
      name: 'test set in another order',
      people: 'shuffle both loaders',
      plants: [
        evaluated((set) => {
          const { count, images, labels } = set;
          const from = (i: number): number => count - 1 - i;
          return {
            ...set,
            labels: labels.slice(0, count).map((_, i) => labels[from(i)]),
            images: images
              .slice(0, count * imageBytes)
              .map(
                (_, i) => images[from(Math.floor(i / imageBytes)) * imageBytes + (i % imageBytes)],
              ),
          };
        }),
      ],
      cause: {
        reads: 'test images are in another order',
        says: /reverse|other places|another order/,
      },
      caught: epochs('test labels'),
    },
    {
      name: 'bytes wrap round when the mean is subtracted',
      people: 'subtract in uint8',
      plants: [pixels((v, mean, std) => ((v - Math.round(255 * mean)) & 255) / 255 / std)],
      cause: { reads: 'bytes wrap round at 256', says: /wrap|modulo|256/ },
      caught: epochs('images'),
    },
    {
      name: 'pixels cut off at 0 after normalising',
      people: 'clip to what an image may hold',
      plants: [pixels((v, mean, std) => Math.max(0, (v / 255 - mean) / std))],
      cause: { reads: 'clipped at 0', says: /clip|cut off|ReLU/ },
      caught: epochs('images'),
    },
    {
      name: 'constants of the channels in the order BGR',
      people: 'turn the image round and not its means',
      plants: [
        inModule<Augmenting>('data/augmentation.ts', (real) => ({
          normalisationTable: ({ mean: [r, g, b], std: [u, v, w] }) =>
            real.normalisationTable({ mean: [b, g, r], std: [w, v, u] }),
        })),
      ],
      cause: causes.normalisedOtherwise,
      caught: epochs('images'),
    },
    {
      name: 'crop offsets counted from 1',
      people: 'draw from 1 to 9',
      plants: [
        augmented((images, order, { flip, top, left }, table, real) =>
          real.augmentImages(
            images,
            order,
            { flip, top: top.map((y) => y + 1), left: left.map((x) => x + 1) },
            table,
          ),
        ),
      ],
      cause: {
        reads: 'rows and columns are shifted by 1: cropped elsewhere',
        says: /shifted|crop/,
      },
      caught: epochs('images'),
    },
    {
      name: 'classes in another order',
      people: 'sort class names',
      plants: [read((set) => ({ ...set, labels: set.labels.map((label) => 9 - label) }))],
      cause: { reads: 'classes are numbered in another order', says: /order|classes|reverse/ },
      caught: epochs('labels'),
    },
  ],
};
