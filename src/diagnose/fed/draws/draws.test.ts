import { describe, expect, it } from 'vitest';
import { torchVectors } from '../../../../test/vectors/torchVectors.ts';
import { fillU32, manualSeed } from '../../../torch/generator.ts';
import { recordOf } from '../testdata/smallRuns.ts';
import { drawsOf, quickDraws, quickMost } from './mersenne.ts';
import { placeOfMask, placeOfViews } from './places.ts';
import { placeOfOrder, sequenceOf } from './sequence.ts';

describe.each(Object.entries(torchVectors.seeds))('draws behind seed %s', (seed, vectors) => {
  it("are PyTorch's", () => {
    const all = [...drawsOf(Number(seed), 640)];
    expect(all.slice(0, vectors.raw_u32.length)).toEqual(vectors.raw_u32);
    const late = vectors.raw_u32_from_draw_626;
    expect(all.slice(626, 626 + late.length)).toEqual(late);
  });
});

it('the first draws are the same where only they are made, to the last that can be', () => {
  for (const seed of [0, 57, 2 ** 32 - 1]) {
    const few = new Uint32Array(quickMost);
    quickDraws(seed, few);
    expect(few).toEqual(drawsOf(seed, quickMost));
  }
});

it('goes on as the generator of a run does', () => {
  const far = new Uint32Array(2000);
  fillU32(manualSeed(24), far);
  expect(drawsOf(24, 2000)).toEqual(far);
});

describe("PyTorch's own run of VGG16BN", () => {
  const record = recordOf('vgg16bn');
  const sequence = sequenceOf(record.seed);
  const { steps, stepsAnEpoch: each, images, first, dropout } = record;
  const indices = (from: number, to: number): number[] =>
    steps.slice(from, to).flatMap(({ shown }) => shown.map(({ index }) => index));

  it('draws the seed of an order, then step by step three numbers an image and two an element of a mask', () => {
    let place = placeOfOrder(sequence, indices(0, each), 0, images);
    expect(place).toBeGreaterThan(0);
    place += 2;
    for (const { shown, masks } of steps.slice(0, each)) {
      expect(placeOfViews(sequence, shown, first, place)).toBe(place);
      place += 3 * shown.length;
      for (const mask of masks) {
        expect(placeOfMask(sequence, mask, 1 - dropout, place)).toBe(place);
        place += 2 * mask.length;
      }
    }
    // The passes over the test images draw a base seed each; then the loader's own.
    const tested = 2;
    expect(placeOfOrder(sequence, indices(each, 2 * each), 0, images)).toBe(place + tested + 2);
  });

  it('holds a part of an order too, and no order that was not drawn', () => {
    const whole = placeOfOrder(sequence, indices(0, each), 0, images);
    expect(placeOfOrder(sequence, indices(1, each), record.batch, images)).toBe(whole);
    expect(placeOfOrder(sequence, indices(0, each).reverse(), 0, images)).toBe(-1);
  });
});
