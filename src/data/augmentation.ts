import type { FirstTransform, Normalisation } from '../nn/models/preparation.ts';
import { fillU32, type TorchGenerator } from '../torch/generator.ts';
import { imageBytes, imageChannels, imageSide } from './cifar.ts';

const { fround } = Math;

/**
 * `ToTensor` then `Normalize` of every byte in every channel: [3, 256], float32 in each step.
 * Source: torchvision/transforms/functional.py.
 */
export function normalisationTable({ mean, std }: Normalisation): Float32Array {
  const table = new Float32Array(256 * imageChannels);
  for (let c = 0; c < imageChannels; c++) {
    for (let v = 0; v < 256; v++) {
      table[256 * c + v] = fround(fround(v / 255) - fround(mean[c])) / fround(std[c]);
    }
  }
  return table;
}

const padding = 4;
const offsets = 2 * padding + 1;

/** What the random transforms do to each image of a batch: mirror it, then crop it. */
export interface Augmentation {
  /** 1 where the image is mirrored left to right. */
  readonly flip: Uint8Array;
  /** The crop's first row and column in the padded, mirrored image, 0 … 8; 4 is the middle. */
  readonly top: Uint8Array;
  readonly left: Uint8Array;
}

/** Draws an image: one `torch.rand(1)`, two `torch.randint(0, 9, (1,))`. */
export const drawsPerImage = 3;

/** Where each transform's draws lie among the three of an image. */
const drawsAt: {
  readonly [F in FirstTransform]: { readonly flip: number; readonly crop: number };
} = { flip: { flip: 0, crop: 1 }, crop: { flip: 2, crop: 0 } };

/**
 * What `RandomHorizontalFlip()` and `RandomCrop(32, padding=4)`, in the order of the model, draw for `count`
 * images in turn. Source: torchvision/transforms/transforms.py.
 *
 * To crop at column `left` and then mirror is to mirror and then crop at the same distance from the other edge.
 */
export function drawAugmentation(
  g: TorchGenerator,
  count: number,
  first: FirstTransform,
): Augmentation {
  const at = drawsAt[first];
  const draws = new Uint32Array(drawsPerImage * count);
  fillU32(g, draws);
  const flip = new Uint8Array(count);
  const top = new Uint8Array(count);
  const left = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    // The highest of the 24 bits that make a float32 uniform says whether it is below ½.
    flip[i] = (draws[3 * i + at.flip] & 0x800000) === 0 ? 1 : 0;
    top[i] = draws[3 * i + at.crop] % offsets;
    const column = draws[3 * i + at.crop + 1] % offsets;
    left[i] = first === 'crop' && flip[i] === 1 ? 2 * padding - column : column;
  }
  return { flip, top, left };
}

/**
 * The images at `order` as a model sees them in training: mirrored, cropped from a border of black
 * pixels 4 wide, normalised by `table`. Result [order.length, 3, 32, 32].
 */
export function augmentImages(
  images: Uint8Array,
  order: Int32Array,
  { flip, top, left }: Augmentation,
  table: Float32Array,
): Float32Array {
  const out = new Float32Array(order.length * imageBytes);
  let to = 0;
  for (let i = 0; i < order.length; i++) {
    const down = top[i] - padding;
    const right = left[i] - padding;
    const from = Math.max(0, -right);
    const until = Math.min(imageSide, imageSide - right);
    const step = flip[i] === 1 ? -1 : 1;
    const start = flip[i] === 1 ? imageSide - 1 - right : right;
    for (let c = 0; c < imageChannels; c++) {
      const tableAt = 256 * c;
      const black = table[tableAt];
      const plane = order[i] * imageBytes + c * imageSide * imageSide;
      for (let y = 0; y < imageSide; y++, to += imageSide) {
        const row = y + down;
        if (row < 0 || row >= imageSide) {
          out.fill(black, to, to + imageSide);
          continue;
        }
        const pixel = plane + row * imageSide + start;
        for (let x = 0; x < from; x++) out[to + x] = black;
        for (let x = from; x < until; x++) out[to + x] = table[tableAt + images[pixel + step * x]];
        for (let x = until; x < imageSide; x++) out[to + x] = black;
      }
    }
  }
  return out;
}

/** The images at `order`, normalised and nothing else. Result [order.length, 3, 32, 32]. */
export function plainImages(
  images: Uint8Array,
  order: Int32Array,
  table: Float32Array,
): Float32Array {
  const out = new Float32Array(order.length * imageBytes);
  const plane = imageSide * imageSide;
  for (let i = 0; i < order.length; i++) {
    const to = i * imageBytes;
    const from = order[i] * imageBytes;
    for (let c = 0; c < imageChannels; c++) {
      for (let p = c * plane; p < (c + 1) * plane; p++) {
        out[to + p] = table[256 * c + images[from + p]];
      }
    }
  }
  return out;
}
