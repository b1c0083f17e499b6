import { type Axis, windowCount } from './sliding.ts';

/** What a convolution slides over. */
export interface Images {
  readonly batch: number;
  readonly channels: number;
  readonly height: Axis;
  readonly width: Axis;
}

/**
 * For every kernel place (kh, kw) and every window (n, p, q), the place they touch in channel 0,
 * as an offset into NCHW; −1 in the padding.
 */
function touched({ batch, channels, height, width }: Images): Int32Array {
  const windows = windowCount(height) * windowCount(width) * batch;
  const places = new Int32Array(height.kernel * width.kernel * windows).fill(-1);
  let at = 0;
  for (let kh = 0; kh < height.kernel; kh++) {
    for (let kw = 0; kw < width.kernel; kw++) {
      for (let n = 0; n < batch; n++) {
        for (let p = 0; p < windowCount(height); p++) {
          for (let q = 0; q < windowCount(width); q++, at++) {
            const row = p * height.stride + kh - height.padding;
            const column = q * width.stride + kw - width.padding;
            if (row < 0 || row >= height.size || column < 0 || column >= width.size) continue;
            places[at] = (n * channels * height.size + row) * width.size + column;
          }
        }
      }
    }
  }
  return places;
}

/**
 * Every window of x as a column: x[n, i, p·s + kh − pad, q·s + kw − pad] stands in row (i, kh, kw) and
 * column (n, p, q), and 0 for padding.
 */
export function unfold(x: Float64Array, images: Images): Float64Array {
  const places = touched(images);
  const plane = images.height.size * images.width.size;
  const out = new Float64Array(images.channels * places.length);
  for (let i = 0, at = 0; i < images.channels; i++) {
    for (let k = 0; k < places.length; k++, at++) {
      if (places[k] >= 0) out[at] = x[i * plane + places[k]];
    }
  }
  return out;
}

/** The transpose of `unfold`: every number of `columns` is added to the place it was taken from. */
export function fold(columns: Float64Array, images: Images): Float64Array {
  const places = touched(images);
  const plane = images.height.size * images.width.size;
  const out = new Float64Array(images.batch * images.channels * plane);
  for (let i = 0, at = 0; i < images.channels; i++) {
    for (let k = 0; k < places.length; k++, at++) {
      if (places[k] >= 0) out[i * plane + places[k]] += columns[at];
    }
  }
  return out;
}
