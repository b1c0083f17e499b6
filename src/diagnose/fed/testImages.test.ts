import { describe, expect, it } from 'vitest';
import type { Shown } from './pixels/shown.ts';
import { type Otherwise, recordOf, testsBy } from './testdata/smallRuns.ts';
import { testFindings } from './testImages.ts';

const record = recordOf('vgg16bn');
const { count } = record.test;
const batch = record.batch;
const inOrder = Array.from({ length: count }, (_, i) => i);

/** What is said of two passes in batches of `size`. */
function said(otherwise: Otherwise = {}, indices = inOrder, size = batch): Record<string, string> {
  const pass = testsBy(record, size, indices, otherwise);
  const tests = { images: 'images', labels: 'labels', batches: [...pass, ...pass], batch, count };
  return Object.fromEntries(
    [...testFindings(tests, record)].map(([name, { says }]) => [name, says]),
  );
}

const shownAs =
  (change: (image: Shown, step: number) => Partial<Shown>): NonNullable<Otherwise['shown']> =>
  (shown, step) =>
    shown.map((image) => ({ ...image, ...change(image, step) }));

describe('test images', () => {
  it('of what is right nothing is said', () => {
    expect(said()).toEqual({});
  });

  it.each([
    [5, 'the same images, but another batch size: in batches of 5, the reference in batches of 8'],
    [
      count,
      `the same images, but another batch size: in one batch of all ${count}, the reference in batches of 8`,
    ],
  ])('in batches of %i', (size, says) => {
    expect(said({}, inOrder, size)).toEqual({ images: says, labels: says });
  });

  it('without the short last batch', () => {
    const says = 'the last, short batch of a pass is missing';
    expect(said({}, inOrder.slice(0, batch))).toEqual({ images: says, labels: says });
  });

  it('in another order', () => {
    expect(said({}, inOrder.toReversed()).labels).toBe(
      'test images are in another order: in reverse',
    );
    const shuffled = inOrder.map((i) => (5 * i) % count);
    expect(said({}, shuffled).images).toMatch(
      /^test images are in another order, shuffled: 0, 5, 10, 3/,
    );
    expect(
      said(
        {},
        inOrder.map((i) => i - (i % 2)),
      ).images,
    ).toMatch(/^some test images come twice/);
  });

  it('augmented', () => {
    const alike = said({ shown: shownAs(() => ({ flip: true, top: 2, left: 6 })) });
    expect(alike).toEqual({
      images:
        'test images are augmented: each is mirrored and cropped at row 2, column 6 of the padded image',
    });
    const { images } = said({
      shown: shownAs(({ index }) => ({ flip: index % 3 === 0, top: index % 9 })),
    });
    expect(images).toMatch(/^test images are augmented: 8 of 24 flipped/);
  });

  it('normalised otherwise, and labelled otherwise', () => {
    const { mean, std } = record.constants;
    const pixel = (value: number, c: number): number => value * std[c] + mean[c];
    expect(said({ pixel })).toEqual({ images: 'not normalised: pixels from 0 to 1' });
    expect(said({ label: (label) => label + 1 }).labels).toMatch(/^each label is 1 more/);
  });

  it('of the training set', () => {
    const ofTrain = testsBy({ ...record, test: record.train }, batch, inOrder);
    const tests = { images: 'images', labels: 'labels', batches: ofTrain, batch, count };
    const found = testFindings(tests, record);
    expect(found.get('images')?.says).toMatch(/^images of the training set, not of the test set/);
  });

  it('of no set: nothing is said', () => {
    expect(said({ pixel: (value, _, at) => value + Math.sin(at) })).toEqual({});
  });
});
