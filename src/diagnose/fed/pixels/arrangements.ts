import { pixels, plane, side } from './rawSet.ts';

/** An order in which the numbers of an image can lie, or be taken for. */
export interface Arrangement {
  readonly key: string;
  /** What is wrong; nothing where it is as the reference's. */
  readonly says?: string;
  /** For each place [3, 32, 32] of an image before it is mirrored or cropped: which byte of the file is taken. */
  readonly from: Int32Array;
  /** For each place of the image as it is shown: where its number lies. */
  readonly at: Int32Array;
}

const places = (of: (channel: number, row: number, column: number) => number): Int32Array =>
  Int32Array.from({ length: pixels }, (_, k) =>
    of(Math.floor(k / plane), Math.floor((k % plane) / side), k % side),
  );

const asItLies = places((c, row, column) => c * plane + row * side + column);
const interleaved = places((c, row, column) => (row * side + column) * 3 + c);

export const straight: Arrangement = { key: 'straight', from: asItLies, at: asItLies };

export const arrangements: readonly Arrangement[] = [
  straight,
  {
    key: 'BGR',
    says: 'channels are in reverse: BGR for RGB',
    from: places((c, row, column) => (2 - c) * plane + row * side + column),
    at: asItLies,
  },
  {
    key: 'transposed',
    says: 'rows and columns of the images are exchanged',
    from: places((c, row, column) => c * plane + column * side + row),
    at: asItLies,
  },
  {
    key: 'interleaved',
    says: 'planes are read as interleaved pixels: HWC for CHW',
    from: interleaved,
    at: asItLies,
  },
  {
    key: 'NHWC',
    says: 'its numbers lie in the order NHWC, but its shape says NCHW',
    from: asItLies,
    at: interleaved,
  },
  {
    key: 'planes of pixels',
    says: 'interleaved pixels are made of planes that were taken for pixels: a permutation made the wrong way round',
    from: places((c, row, column) => {
      const k = c * plane + row * side + column;
      return (k % 3) * plane + Math.floor(k / 3);
    }),
    at: asItLies,
  },
];
