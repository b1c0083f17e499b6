import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitsOf, torchVectors } from '../../test/vectors/torchVectors.ts';
import { vggPreparation } from '../nn/models/preparation.ts';
import { manualSeed, nextU32 } from '../torch/generator.ts';
import { rand } from '../torch/uniform.ts';
import {
  type Augmentation,
  augmentImages,
  drawAugmentation,
  normalisationTable,
  plainImages,
} from './augmentation.ts';
import { imageBytes } from './cifar.ts';

const table = normalisationTable(vggPreparation.normalisation);

test('the normalisation table as torchvision makes it', () => {
  expect(bitsOf(table).join('')).toBe(torchVectors.totensor_normalize_table_rgb.join(''));
});

describe('augmentation', () => {
  const images = Uint8Array.from({ length: 4 * imageBytes }, (_, i) => (i * 7919) >>> 5);

  /** The same by its definition: mirror, pad, cut out. */
  function naive(sample: number, flip: number, top: number, left: number): Float32Array {
    const out: number[] = [];
    for (let c = 0; c < 3; c++) {
      const padded = Array.from({ length: 40 }, () => new Array<number>(40).fill(0));
      for (let y = 0; y < 32; y++) {
        for (let x = 0; x < 32; x++) {
          const from = flip === 1 ? 31 - x : x;
          padded[y + 4][x + 4] = images[sample * imageBytes + c * 1024 + y * 32 + from];
        }
      }
      for (const row of padded.slice(top, top + 32)) {
        out.push(...row.slice(left, left + 32).map((v) => table[256 * c + v]));
      }
    }
    return Float32Array.from(out);
  }

  const anyImage = fc.record({
    sample: fc.nat(3),
    flip: fc.nat(1),
    top: fc.nat(8),
    left: fc.nat(8),
  });

  test('equals its definition', () => {
    fc.assert(
      fc.property(fc.array(anyImage, { minLength: 1, maxLength: 3 }), (batch) => {
        const drawn: Augmentation = {
          flip: Uint8Array.from(batch, ({ flip }) => flip),
          top: Uint8Array.from(batch, ({ top }) => top),
          left: Uint8Array.from(batch, ({ left }) => left),
        };
        const order = Int32Array.from(batch, ({ sample }) => sample);
        const out = augmentImages(images, order, drawn, table);
        batch.forEach(({ sample, flip, top, left }, i) => {
          const got = out.subarray(i * imageBytes, (i + 1) * imageBytes);
          expect(
            Buffer.from(got.slice().buffer).equals(
              Buffer.from(naive(sample, flip, top, left).buffer),
            ),
          ).toBe(true);
        });
      }),
    );
  });

  test('in the middle and not mirrored is the plain image', () => {
    const order = Int32Array.of(2, 0);
    const middle = Uint8Array.of(4, 4);
    const drawn = { flip: new Uint8Array(2), top: middle, left: middle };
    expect(augmentImages(images, order, drawn, table)).toEqual(plainImages(images, order, table));
  });

  test('crop, then mirror: the draws and the pixels of the residual networks', () => {
    const count = 40;
    const integers = manualSeed(8);
    const floats = rand(manualSeed(8), 3 * count);
    const drawn = drawAugmentation(manualSeed(8), count, 'crop');
    const out = augmentImages(images, new Int32Array(count), drawn, table);
    for (let i = 0; i < count; i++) {
      const [top, left] = [nextU32(integers) % 9, nextU32(integers) % 9];
      nextU32(integers);
      const cropped = naive(0, 0, top, left);
      const mirror = floats[3 * i + 2] < 0.5;
      const expected = cropped.map((_, at) =>
        mirror ? cropped[at - (at % 32) + 31 - (at % 32)] : cropped[at],
      );
      expect(out.slice(i * imageBytes, (i + 1) * imageBytes)).toEqual(expected);
    }
    expect(new Set(drawn.flip)).toEqual(new Set([0, 1]));
  });

  test('an image is mirrored where rand is below one half', () => {
    const { flip } = drawAugmentation(manualSeed(12), 50, 'flip');
    const draws = rand(manualSeed(12), 150);
    expect(Array.from(flip)).toEqual(Array.from(flip, (_, i) => (draws[3 * i] < 0.5 ? 1 : 0)));
  });
});
