import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { Pair } from '../../../ir/op.ts';
import { channelsLast, shapeOf, type Tf, type Value } from '../value.ts';

/** A pair as TensorFlow.js types it. */
export const pairOf = ([a, b]: Pair): [number, number] => [a, b];

const isNone = (padding: Pair): boolean => padding.every((p) => p === 0);

/**
 * NHWC images with the padding around them. Of explicit paddings the devices do not all know the
 * derivative, so windows slide over padded images instead.
 */
export const padded = (tf: Tf, x: Tensor4D, padding: Pair, fill: number): Tensor4D =>
  isNone(padding)
    ? x
    : tf.pad(x, [[0, 0], ...padding.map((p): [number, number] => [p, p]), [0, 0]], fill);

/** The height and width of padded images. */
export const paddedSize = (size: Pair, padding: Pair): [number, number] => [
  size[0] + 2 * padding[0],
  size[1] + 2 * padding[1],
];

/** Images of the given height and width from within their padding. */
export function withoutPadding(tf: Tf, x: Tensor, padding: Pair, [h, w]: Pair): Value {
  if (isNone(padding)) return channelsLast(x);
  const [n, , , c] = shapeOf(x);
  return channelsLast(tf.slice(x, [0, ...padding, 0], [n, h, w, c]));
}
