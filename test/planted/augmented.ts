import type { Augmentation } from '../../src/data/augmentation.ts';
import { imageBytes, imageChannels, imageSide } from '../../src/data/cifar.ts';

/** A place in the padded image: its row and column there, 0 … 39. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

export interface Drawn {
  readonly flip: boolean;
  readonly top: number;
  readonly left: number;
}

/**
 * Images augmented one pixel at a time: `from` says which place of the image padded by 4 a pixel of the result
 * comes from, `outside` what lies in the padding. Slow, and easy to get wrong in a chosen way.
 */
export function augmentedBy(
  images: Uint8Array,
  order: Int32Array,
  { flip, top, left }: Augmentation,
  table: Float32Array,
  from: (row: number, column: number, drawn: Drawn) => Place,
  outside: (
    channel: number,
    place: Place,
    pixel: (row: number, column: number) => number,
  ) => number = (channel) => table[256 * channel],
): Float32Array {
  const out = new Float32Array(order.length * imageBytes);
  const plane = imageSide * imageSide;
  for (let at = 0; at < out.length; at++) {
    const i = Math.floor(at / imageBytes);
    const channel = Math.floor((at % imageBytes) / plane);
    const row = Math.floor((at % plane) / imageSide);
    const place = from(row, at % imageSide, { flip: flip[i] === 1, top: top[i], left: left[i] });
    const pixel = (y: number, x: number): number =>
      table[256 * channel + images[order[i] * imageBytes + channel * plane + y * imageSide + x]];
    const [y, x] = [place.row - 4, place.column - 4];
    const inside = y >= 0 && y < imageSide && x >= 0 && x < imageSide;
    out[at] = inside ? pixel(y, x) : outside(channel, place, pixel);
  }
  if (imageChannels * plane !== imageBytes) throw new Error('images are not planar');
  return out;
}

/** PyTorch's order: the image is mirrored, then padded, then cropped. */
export const flipThenCrop = (row: number, column: number, { flip, top, left }: Drawn): Place => {
  const padded = left + column;
  return { row: top + row, column: flip ? imageSide + 7 - padded : padded };
};
