import { type Layer, perAxis } from '../layer.ts';
import type { Block } from './convolution.ts';

/** Windows over the maps of a pooling layer. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

export interface Pooling extends Windows {
  readonly takes: 'maximum' | 'average';
}

/** Reads MaxPool2d and AvgPool2d; undefined for all else. */
export function poolingOf(layer: Layer | undefined): Pooling | undefined {
  const takes =
    layer?.name === 'MaxPool2d' ? 'maximum' : layer?.name === 'AvgPool2d' ? 'average' : undefined;
  if (layer === undefined || takes === undefined) return undefined;
  const kernel = perAxis(layer, 'kernel_size', 2, Number.NaN);
  if (kernel.some(Number.isNaN)) return undefined;
  return {
    takes,
    kernel,
    stride: perAxis(layer, 'stride', 2, kernel),
    padding: perAxis(layer, 'padding', 2, 0),
  };
}

/** The flat positions of x [n, c, h, w] in the window of a position of y, whose maps have `sides`; those inside alone. */
export function windowAt(
  { shape }: Block,
  sides: readonly number[],
  { kernel, stride, padding }: Windows,
): (position: number) => number[] {
  const [, , height, width] = shape;
  const [h, v] = sides;
  return (position) => {
    const [row, column] = [Math.floor(position / v) % h, position % v];
    const map = Math.floor(position / (v * h)) * height * width;
    const found: number[] = [];
    for (let a = 0; a < kernel[0]; a++) {
      const y = row * stride[0] - padding[0] + a;
      if (y < 0 || y >= height) continue;
      for (let b = 0; b < kernel[1]; b++) {
        const z = column * stride[1] - padding[1] + b;
        if (z >= 0 && z < width) found.push(map + y * width + z);
      }
    }
    return found;
  };
}

/** What a window gives: `size` counts the places outside too. */
export const taken: Readonly<Record<string, (window: readonly number[], size: number) => number>> =
  {
    maximum: (window) => window.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    average: (window, size) => window.reduce((a, b) => a + b, 0) / size,
    sum: (window) => window.reduce((a, b) => a + b, 0),
    minimum: (window) => window.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    'average of what lies inside': (window) => window.reduce((a, b) => a + b, 0) / window.length,
  };

/** How a window's gradient is shared: a share for each place. */
export const shared: Readonly<
  Record<string, (window: readonly number[], size: number) => readonly number[]>
> = {
  'the first maximum': (window) => only(window, window.indexOf(taken.maximum(window, 0))),
  'the last maximum': (window) => only(window, window.lastIndexOf(taken.maximum(window, 0))),
  'all maxima alike': (window) => {
    const most = taken.maximum(window, 0);
    const winners = window.filter((x) => x === most).length;
    return window.map((x) => (x === most ? 1 / winners : 0));
  },
  'all maxima in full': (window) => {
    const most = taken.maximum(window, 0);
    return window.map((x) => (x === most ? 1 : 0));
  },
  'all places alike': (window, size) => window.map(() => 1 / size),
  'all places in full': (window) => window.map(() => 1),
};

const only = (window: readonly number[], at: number): number[] =>
  window.map((_, k) => (k === at ? 1 : 0));

/** dx of a pooling layer, whole: every window's gradient shared out by a rule. */
export function pooledBack(
  x: Block,
  dy: Block,
  windows: Windows,
  share: (window: readonly number[], size: number) => readonly number[],
): Float64Array {
  const dx = new Float64Array(x.data.length);
  const window = windowAt(x, dy.shape.slice(2), windows);
  const size = windows.kernel[0] * windows.kernel[1];
  for (let at = 0; at < dy.data.length; at++) {
    const places = window(at);
    const shares = share(
      places.map((place) => x.data[place]),
      size,
    );
    places.forEach((place, k) => {
      dx[place] += shares[k] * dy.data[at];
    });
  }
  return dx;
}
