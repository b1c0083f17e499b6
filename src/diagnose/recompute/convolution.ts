import { sizeOf } from '../../tensor/shape.ts';
import type { Layer } from '../layer.ts';
import { perAxis } from '../layer.ts';

/** Numbers of a shape, flat. */
export interface Block {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** How far a kernel moves over the maps. A line is a map of one row. */
export interface Moves {
  readonly stride: readonly [number, number];
  /** Places that are added above and to the left. */
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/** What stands outside the maps. */
export type Rim = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** A layer that multiplies by a weight, over maps or over features. */
export interface Convolution extends Moves {
  /** Over features: Linear, of whatever axes come before them. */
  readonly linear: boolean;
}

const twoOf = (values: readonly number[]): readonly [number, number] =>
  values.length === 1 ? [0, values[0]] : [values[0], values[1]];
const movesOf = (values: readonly number[]): readonly [number, number] =>
  values.length === 1 ? [1, values[0]] : [values[0], values[1]];

/** Reads Linear, Conv1d and Conv2d; undefined for all else, and where padding is said in words. */
export function convolutionOf(layer: Layer | undefined): Convolution | undefined {
  const still = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  if (layer?.name === 'Linear') return { ...still, linear: true };
  const axes = layer === undefined ? undefined : { Conv1d: 1, Conv2d: 2 }[layer.name];
  if (layer === undefined || axes === undefined) return undefined;
  if (typeof layer.keywords.get('padding') === 'string') return undefined;
  if (layer.keywords.has('padding_mode')) return undefined;
  const groups = layer.keywords.get('groups');
  return {
    linear: false,
    stride: movesOf(perAxis(layer, 'stride', axes, 1)),
    padding: twoOf(perAxis(layer, 'padding', axes, 0)),
    dilation: movesOf(perAxis(layer, 'dilation', axes, 1)),
    groups: typeof groups === 'number' ? groups : 1,
  };
}

/** As [n, c, h, w]: a line has one row; features of several axes are so many images of one place. */
export function asMaps({ shape, data }: Block, linear: boolean): Block {
  if (linear) {
    const features = shape[shape.length - 1];
    return { shape: [sizeOf(shape) / features, features, 1, 1], data };
  }
  return shape.length === 3 ? { shape: [shape[0], shape[1], 1, shape[2]], data } : { shape, data };
}

/** As [o, i, h, w]. */
export function asKernels({ shape, data }: Block): Block {
  const [o, i, ...sides] = shape;
  return { shape: sides.length === 2 ? shape : [o, i, 1, sides[0] ?? 1], data };
}

/** Where a place outside the maps is read; undefined for zero. */
const inside: { readonly [K in Rim]: (at: number, extent: number) => number | undefined } = {
  zeros: (at, extent) => (at >= 0 && at < extent ? at : undefined),
  reflect: (at, extent) => {
    const folded = at < 0 ? -at : at >= extent ? 2 * (extent - 1) - at : at;
    return folded >= 0 && folded < extent ? folded : undefined;
  },
  replicate: (at, extent) => Math.min(Math.max(at, 0), extent - 1),
  circular: (at, extent) => ((at % extent) + extent) % extent,
};

/**
 * y = x ∗ w without bias, at flat positions of y [n, o, *, *], whose maps have `sides`. `x` is [n, i, h, w], `w`
 * [o, i / groups, h, w].
 */
export function convolved(
  x: Block,
  w: Block,
  sides: readonly [number, number],
  { stride, padding, dilation, groups }: Moves,
  rim: Rim = 'zeros',
): (position: number) => number {
  const [, channels, height, width] = x.shape;
  const [outs, ins, tall, wide] = w.shape;
  const [h, v] = sides;
  const read = inside[rim];
  return (position) => {
    const column = position % v;
    const row = Math.floor(position / v) % h;
    const out = Math.floor(position / (v * h)) % outs;
    const image = Math.floor(position / (v * h * outs));
    const first = Math.floor(out / (outs / groups)) * ins;
    let sum = 0;
    for (let a = 0; a < tall; a++) {
      const y = read(row * stride[0] - padding[0] + a * dilation[0], height);
      if (y === undefined) continue;
      for (let b = 0; b < wide; b++) {
        const z = read(column * stride[1] - padding[1] + b * dilation[1], width);
        if (z === undefined) continue;
        const map = ((image * channels + first) * height + y) * width + z;
        const kernel = (out * ins * tall + a) * wide + b;
        for (let i = 0; i < ins; i++)
          sum += x.data[map + i * height * width] * w.data[kernel + i * tall * wide];
      }
    }
    return sum;
  };
}

/** dx from dy and w at flat positions of dx [n, i, *, *], whose maps have `sides`; zeros outside. */
export function sentBack(
  dy: Block,
  w: Block,
  sides: readonly [number, number],
  { stride, padding, dilation, groups }: Moves,
): (position: number) => number {
  const [, outs, height, width] = dy.shape;
  const [, ins, tall, wide] = w.shape;
  const [h, v] = sides;
  const channels = ins * groups;
  const perGroup = outs / groups;
  return (position) => {
    const column = position % v;
    const row = Math.floor(position / v) % h;
    const channel = Math.floor(position / (v * h)) % channels;
    const image = Math.floor(position / (v * h * channels));
    const [group, i] = [Math.floor(channel / ins), channel % ins];
    let sum = 0;
    for (let a = 0; a < tall; a++) {
      const y = (row + padding[0] - a * dilation[0]) / stride[0];
      if (!Number.isInteger(y) || y < 0 || y >= height) continue;
      for (let b = 0; b < wide; b++) {
        const z = (column + padding[1] - b * dilation[1]) / stride[1];
        if (!Number.isInteger(z) || z < 0 || z >= width) continue;
        for (let o = group * perGroup; o < (group + 1) * perGroup; o++)
          sum +=
            dy.data[((image * outs + o) * height + y) * width + z] *
            w.data[((o * ins + i) * tall + a) * wide + b];
      }
    }
    return sum;
  };
}

/** dw from x and dy at flat positions of dw [o, i / groups, *, *]. */
export function weightSentBack(
  x: Block,
  dy: Block,
  kernel: readonly number[],
  { stride, padding, dilation, groups }: Moves,
): (position: number) => number {
  const [images, channels, height, width] = x.shape;
  const [, outs, h, v] = dy.shape;
  const [, ins, tall, wide] = kernel;
  return (position) => {
    const b = position % wide;
    const a = Math.floor(position / wide) % tall;
    const i = Math.floor(position / (wide * tall)) % ins;
    const o = Math.floor(position / (wide * tall * ins));
    const channel = Math.floor(o / (outs / groups)) * ins + i;
    let sum = 0;
    for (let n = 0; n < images; n++) {
      for (let row = 0; row < h; row++) {
        const y = row * stride[0] - padding[0] + a * dilation[0];
        if (y < 0 || y >= height) continue;
        for (let column = 0; column < v; column++) {
          const z = column * stride[1] - padding[1] + b * dilation[1];
          if (z < 0 || z >= width) continue;
          sum +=
            x.data[((n * channels + channel) * height + y) * width + z] *
            dy.data[((n * outs + o) * h + row) * v + column];
        }
      }
    }
    return sum;
  };
}
