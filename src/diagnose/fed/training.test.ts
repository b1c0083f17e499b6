import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawAugmentation, drawsPerImage } from '../../data/augmentation.ts';
import { manualSeed, skipU32 } from '../../torch/generator.ts';
import { randperm } from '../../torch/integers.ts';
import { uniforms } from '../testdata/uniforms.ts';
import { placeOfOrder, sequenceOf } from './draws/sequence.ts';
import { plainly, type Shown, shownAs } from './pixels/shown.ts';
import { fedBy, type Otherwise, recordOf } from './testdata/smallRuns.ts';
import { trainingFindings } from './training.ts';

type Change<K extends keyof Otherwise> = NonNullable<Otherwise[K]>;

const vgg = recordOf('vgg16bn');
const resNet = recordOf('preresnet110');

const said = (otherwise: Otherwise, record = vgg, from = 0): Record<string, string> =>
  Object.fromEntries(
    [...trainingFindings(fedBy(record, otherwise, from), record)].map(([name, { says }]) => [
      name,
      says,
    ]),
  );

const eachShown =
  (change: (image: Shown) => Partial<Shown>): Change<'shown'> =>
  (shown) =>
    shown.map((image) => ({ ...image, ...change(image) }));

/** Images in another order, epoch by epoch; shown as the reference's in their places. */
const reordered =
  (order: (epoch: number, theirs: readonly number[]) => readonly number[]): Change<'shown'> =>
  (shown, step) => {
    const each = vgg.stepsAnEpoch;
    const epoch = Math.floor(step / each);
    const theirs = vgg.steps
      .slice(epoch * each, (epoch + 1) * each)
      .flatMap((batch) => batch.shown.map(({ index }) => index));
    const first = (step % each) * vgg.batch;
    const ours = order(epoch, theirs);
    return shown.map((image, i) => ({ ...image, index: ours[first + i] }));
  };

const { mean, std } = vgg.constants;
const byteOf = (value: number, c: number): number => Math.round((value * std[c] + mean[c]) * 255);
const valued =
  (of: (byte: number, mean: number, std: number) => number): Change<'pixel'> =>
  (value, c) =>
    of(byteOf(value, c), mean[c], std[c]);

describe('of what is right nothing is said', () => {
  it.each([
    ['vgg16bn', vgg, 0],
    ['vgg16bn, resumed', vgg, 10],
    ['preresnet110', resNet, 0],
    ['preresnet110, resumed', resNet, 30],
  ] as const)('%s', (_, record, from) => {
    expect(said({}, record, from)).toEqual({});
  });
});

describe('what bytes become', () => {
  it.each([
    ['divided by 256', valued((v, m, s) => (v / 256 - m) / s), /256, not by 255/],
    ['not divided', valued((v, m, s) => (v - m) / s), /pixels from 0 to 255/],
    ['as whole numbers', valued((v, m, s) => (Math.trunc(v / 255) - m) / s), /whole numbers/],
    ['without deviation', valued((v, m) => v / 255 - m), /nothing is divided by the deviation/],
    ['not normalised', valued((v) => v / 255), /^not normalised: pixels from 0 to 1$/],
    ['rounded once', valued((v, m, s) => (v / 255 - m) / s), /last places.*rounded otherwise/],
    ['cut off', valued((v, m, s) => Math.max(0, (v / 255 - m) / s)), /^cut off at 0/],
  ])('%s', (_, pixel, says) => {
    const found = said({ pixel });
    expect(found.images).toMatch(says);
    expect(Object.keys(found)).toEqual(['images']);
  });

  it('tells any other mean and deviation', () => {
    const one = (low: number, high: number) => fc.double({ min: low, max: high, noNaN: true });
    fc.assert(
      fc.property(one(0.1, 0.9), one(0.1, 0.6), (otherMean, otherStd) => {
        const { images } = said({ pixel: valued((v) => (v / 255 - otherMean) / otherStd) });
        const told = [otherMean, otherStd].map((x) => String(Number(x.toPrecision(3))));
        expect(images).toMatch(
          /^normalised by mean .* and deviation .*, the reference by mean 0.485/,
        );
        const [, ourMean, ourStd] = /mean ([\d.]+), .* deviation ([\d.]+),.*, the/.exec(images)!;
        expect([ourMean, ourStd].map((x) => String(Number(Number(x).toPrecision(3))))).toEqual(
          told,
        );
      }),
      { numRuns: 5 },
    );
  });

  it('and nothing where a byte becomes one thing here and another there', () => {
    const next = uniforms(3);
    expect(said({ pixel: (value) => value + 1e-3 * next() })).toEqual({});
    expect(said({ pixel: (value, _, at) => value * (1 + 1e-3 * Math.sin(at / 500)) })).toEqual({});
    expect(said({ pixel: (value) => Math.tanh(value) })).toEqual({});
  });
});

describe('how images are shown', () => {
  it.each<[string, Change<'shown'>, RegExp]>([
    ['plainly', eachShown(({ index }) => plainly(index)), /^images are not augmented/],
    ['never mirrored', eachShown(() => ({ flip: false })), /^no image is flipped/],
    ['the others mirrored', eachShown(({ flip }) => ({ flip: !flip })), /flipped images are not/],
    ['offsets swapped', eachShown(({ top, left }) => ({ top: left, left: top })), /exchanged/],
    ['never cropped', eachShown(() => ({ top: 4, left: 4 })), /never cropped/],
    [
      'cropped first',
      eachShown((image) =>
        shownAs(image.index, { flip: image.flip, top: image.top, column: image.left }, 'crop'),
      ),
      /^cropped before flipped/,
    ],
    [
      'alike in a batch',
      (shown) => shown.map(({ index }) => ({ ...shown[0], index })),
      /^one crop and flip for all images of a batch/,
    ],
  ])('%s', (_, shown, says) => {
    const found = said({ shown });
    expect(found.images).toMatch(says);
    expect(Object.keys(found)).toEqual(['images']);
  });

  it('an offset that is never drawn', () => {
    const shown = eachShown(({ top, left }) => ({ top: top % 8, left: left % 8 }));
    expect(said({ shown }).images).toBe(
      "cropped elsewhere at some offsets, the reference's → ours: 8 → 0",
    );
    // Of rows alone no one map of offsets makes it.
    expect(said({ shown: eachShown(({ top }) => ({ top: top % 8 })) })).toEqual({});
  });

  it('by no rule: nothing is said', () => {
    const next = uniforms(8);
    const chance = (n: number): number => Math.floor(n * next());
    const shown = eachShown(() => ({ flip: chance(2) === 1, top: chance(9), left: chance(9) }));
    expect(said({ shown })).toEqual({});
    expect(said({ shown }, resNet)).toEqual({});
  });
});

describe('in which order', () => {
  const n = vgg.images;
  const own = Array.from({ length: n }, (_, i) => i);
  it.each<[string, Change<'shown'>, RegExp]>([
    ['not shuffled', reordered(() => own), /^not shuffled/],
    ['backwards', reordered((_, theirs) => theirs.toReversed()), /backwards/],
    ['twice', reordered((_, theirs) => theirs.map((i) => i - (i % 2))), /some images twice/],
  ])('%s', (_, shown, says) => {
    const { labels, images } = said({ shown });
    expect(labels).toMatch(says);
    expect(images).toMatch(says);
  });

  it('any other: nothing is said', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
        const shown = reordered((epoch) => [...randperm(manualSeed(seed + epoch), n)]);
        expect(said({ shown })).toEqual({});
      }),
      { numRuns: 1 },
    );
  });

  it('a resumed run that begins elsewhere', () => {
    const from = 10;
    const { stepsAnEpoch: each, steps } = vgg;
    const begin = (at: number): Otherwise => ({
      shown: (_, step) => steps[at + step - from]?.shown ?? steps[0].shown,
    });
    expect(said(begin(9), vgg, from).labels).toBe(
      'begins at step 1 of epoch 4, the reference goes on with step 2 of epoch 4: the epoch begins anew, its first steps are made again',
    );
    expect(said(begin(from - each), vgg, from).labels).toMatch(
      /^begins at step 2 of epoch 3.*resumed from an earlier step/,
    );
  });
});

describe('labels', () => {
  const { labels } = vgg.train;
  it.each<[string, Change<'label'>, RegExp]>([
    ['of the next image', (_, index) => labels[index + 1], /next image/],
    ['in reverse', (label) => 9 - label, /^classes are numbered in reverse order: 9 less/],
    ['counted from 1', (label) => label + 1, /^each label is 1 more/],
    ['renumbered', (label) => (7 * label) % 10, /^classes are numbered in another order/],
  ])('%s', (_, label, says) => {
    const found = said({ label });
    expect(found.labels).toMatch(says);
    expect(Object.keys(found)).toEqual(['labels']);
  });

  it('the coarse ones of CIFAR-100', () => {
    const coarse = resNet.train.coarse!;
    expect(said({ label: (_, index) => coarse[index] }, resNet).labels).toMatch(/coarse/);
  });

  it('by no rule: nothing is said', () => {
    const next = uniforms(4);
    expect(said({ label: () => Math.floor(10 * next()) })).toEqual({});
  });
});

describe('masks', () => {
  it.each<[string, Change<'mask'>, RegExp]>([
    ['inverted', (mask) => mask.map((x) => 1 - x), /turned round/],
    ['none', (mask) => mask.map(() => 1), /nothing is dropped/],
    ['one for a batch', (mask) => mask.map((_, i) => mask[i % 16]), /^one mask for all images/],
  ])('%s', (_, mask, says) => {
    const found = said({ mask });
    expect(found.mask0).toMatch(says);
    expect(found.mask1).toMatch(says);
  });

  it('of the first step of each size', () => {
    const { steps } = vgg;
    const mask: Change<'mask'> = (held, _, layer) =>
      steps.find(({ masks }) => masks[layer].length === held.length)!.masks[layer];
    expect(said({ mask }).mask0).toMatch(/^the mask of the first step of its size in every step/);
  });

  it('by chance: nothing is said', () => {
    const next = uniforms(6);
    expect(said({ mask: (mask) => mask.map(() => Math.floor(2 * next())) })).toEqual({});
  });
});

describe('workers', () => {
  const { workers, batch, images, first, stepsAnEpoch: each } = resNet;
  const { draws } = sequenceOf(resNet.seed);
  const orders = Array.from({ length: resNet.steps.length / each }, (_, epoch) =>
    resNet.steps
      .slice(epoch * each, (epoch + 1) * each)
      .flatMap(({ shown }) => shown.map(({ index }) => index)),
  );
  /** Each epoch's base seed: as much of it as a generator uses. */
  const seeds = orders.map((order) => {
    const place = placeOfOrder({ draws }, order, 0, images);
    return draws[place - 1];
  });
  /** Drawn by the code that trains, seeded otherwise. */
  const augmented =
    (seed: (epoch: number, worker: number) => number): Change<'shown'> =>
    (shown, step) => {
      const k = step % each;
      const g = manualSeed(seed(Math.floor(step / each), k % workers));
      skipU32(g, Math.floor(k / workers) * drawsPerImage * batch);
      const { flip, top, left } = drawAugmentation(g, shown.length, first);
      return shown.map(({ index }, i) => ({
        index,
        flip: flip[i] === 1,
        top: top[i],
        left: left[i],
      }));
    };

  it.each<[string, (epoch: number, worker: number) => number, RegExp | undefined]>([
    ['seeded as they should be', (epoch, worker) => seeds[epoch] + worker, undefined],
    ['of one seed', (epoch) => seeds[epoch], /^every worker has the seed of the first/],
    ['counted from 1', (epoch, worker) => seeds[epoch] + worker + 1, /seed of the next one/],
    ['seeded once', (_, worker) => seeds[0] + worker, /^every epoch's workers have the seeds/],
    ['seeded by the number of the epoch', (epoch, worker) => epoch + worker, undefined],
  ])('%s', (_, seed, says) => {
    const { images: told } = said({ shown: augmented(seed) }, resNet);
    if (says === undefined) expect(told).toBeUndefined();
    else expect(told).toMatch(says);
  });
});
