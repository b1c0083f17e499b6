import type { Window } from '../../src/ir/op.ts';
import { type Shape, sizeOf } from '../../src/tensor/shape.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';

/** Uniform in [0, 1). */
export type Random = () => number;

/** A small seeded generator (Tommy Ettinger's mulberry32): the same seed, the same test. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `low` to `high`, both included. */
export const whole = (random: Random, low: number, high: number): number =>
  low + Math.floor(random() * (high - low + 1));

const filled = (shape: Shape, value: (i: number) => number): Tensor<'float64'> =>
  tensor(
    'float64',
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(value(i))),
  );

/** Numbers in [low, high), rounded to float32, so that every backend can be given the same ones. */
export const uniform = (random: Random, shape: Shape, low = -1, high = 1): Tensor<'float64'> =>
  filled(shape, () => low + (high - low) * random());

/** Either sign, and at least 0.1 from zero. */
export const awayFromZero = (random: Random, shape: Shape): Tensor<'float64'> =>
  filled(shape, () => (random() < 0.5 ? -1 : 1) * (0.1 + random()));

/** As ReLU gives them: exact zeros, and numbers of at least 0.1. */
export const rectified = (random: Random, shape: Shape): Tensor<'float64'> =>
  filled(shape, () => (random() < 0.5 ? 0 : 0.1 + random()));

/** All different, so that no maximum is near a tie: a shuffle of evenly spaced numbers in [−1, 1). */
export function distinct(random: Random, shape: Shape): Tensor<'float64'> {
  const n = sizeOf(shape);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = whole(random, 0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return filled(shape, (i) => (2 * order[i]) / n - 1);
}

/** Whole numbers from 0 to `count` − 1. */
export const ints = (random: Random, shape: Shape, count: number): Tensor<'int64'> =>
  tensor(
    'int64',
    shape,
    BigInt64Array.from({ length: sizeOf(shape) }, () => BigInt(whole(random, 0, count - 1))),
  );

export const extents = (random: Random, rank: number): number[] =>
  Array.from({ length: rank }, () => whole(random, 1, 4));

/** Two shapes that broadcast together: leading axes missing, others stretched from 1. */
export function broadcastable(random: Random): [Shape, Shape] {
  const full = extents(random, whole(random, 0, 4));
  const some = (): Shape =>
    full.map((d) => (random() < 0.3 ? 1 : d)).slice(whole(random, 0, full.length));
  return random() < 0.5 ? [full, some()] : [some(), full];
}

/** A convolution's window, one time in three VGG's own 3×3. */
export function convWindow(random: Random): Window {
  if (random() < 1 / 3) return { kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
  const kernel = [whole(random, 1, 4), whole(random, 1, 4)] as const;
  return {
    kernel,
    stride: [whole(random, 1, 3), whole(random, 1, 3)],
    padding: [whole(random, 0, kernel[0] - 1), whole(random, 0, kernel[1] - 1)],
  };
}

/** A pooling window, one time in three VGG's own 2×2. Padding is at most half of it, as in PyTorch. */
export function poolWindow(random: Random): Window {
  if (random() < 1 / 3) return { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
  const kernel = [whole(random, 1, 4), whole(random, 1, 4)] as const;
  return {
    kernel,
    stride: [whole(random, 1, 3), whole(random, 1, 3)],
    padding: [whole(random, 0, kernel[0] >> 1), whole(random, 0, kernel[1] >> 1)],
  };
}

/** NCHW with room for at least one window. */
export function imagesFor(random: Random, { kernel }: Window, channels: number): number[] {
  const size = (extent: number): number => extent + whole(random, 0, 5);
  return [whole(random, 1, 3), channels, size(kernel[0]), size(kernel[1])];
}
