import type { Window } from '../../ir/op.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { KernelTable } from './kernel.ts';
import { type Matrix, product, transposed } from './matmul.ts';
import { axes, windowCount } from './sliding.ts';
import { fold, type Images, unfold } from './unfold.ts';
import { floats, type Value } from './value.ts';

/**
 * With every window of x as a column of X, convolution is a matrix product, and so are its adjoints:
 *
 *     y[n, o, p, q] = Σ w[o, i, kh, kw] · x[n, i, p·s + kh − pad, q·s + kw − pad]
 *
 *     Y = W · X      dX = Wᵀ · dY      dW = dY · Xᵀ
 *
 * X [i·kh·kw, n·p·q]   W [o, i·kh·kw]   Y [o, n·p·q]
 */
type Family = 'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad';

/** OIHW → W: a row an output channel. */
const weightMatrix = ({ shape: [o, i, kh, kw], data }: Value): Matrix => ({
  rows: o,
  columns: i * kh * kw,
  data,
});

/** Exchanges the first two axes of [a, b, rest]. */
function exchange(data: Float64Array, a: number, b: number): Float64Array {
  const rest = data.length / (a * b);
  const out = new Float64Array(data.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * rest;
      out.set(data.subarray(from, from + rest), (j * a + i) * rest);
    }
  }
  return out;
}

/** [n, o, p, q] → Y: a row an output channel. */
const outputMatrix = ({ shape: [n, o, p, q], data }: Value): Matrix => ({
  rows: o,
  columns: n * p * q,
  data: exchange(data, n, o),
});

const windowMatrix = (x: Value, images: Images): Matrix => {
  const data = unfold(x.data, images);
  const rows = images.channels * images.height.kernel * images.width.kernel;
  return { rows, columns: data.length / rows, data };
};

function imagesOf([batch, channels, h, w]: Shape, window: Window): Images {
  const [height, width] = axes([h, w], window);
  return { batch, channels, height, width };
}

export const convolution: KernelTable<Family> = {
  conv2d: (params, [x, w]) => {
    const [o, , kh, kw] = w.shape;
    const images = imagesOf(x.shape, { ...params, kernel: [kh, kw] });
    const y = product(weightMatrix(w), windowMatrix(x, images));
    const { batch, height, width } = images;
    const shape = [batch, o, windowCount(height), windowCount(width)];
    return floats(shape, exchange(y.data, o, batch));
  },

  conv2dInputGrad: ({ inputSize, ...params }, [dy, w]) => {
    const [, channels, kh, kw] = w.shape;
    const shape = [dy.shape[0], channels, ...inputSize];
    const images = imagesOf(shape, { ...params, kernel: [kh, kw] });
    const dx = product(transposed(weightMatrix(w)), outputMatrix(dy));
    return floats(shape, fold(dx.data, images));
  },

  conv2dWeightGrad: (params, [x, dy]) => {
    const images = imagesOf(x.shape, params);
    const dw = product(outputMatrix(dy), transposed(windowMatrix(x, images)));
    return floats([dy.shape[1], images.channels, ...params.kernel], dw.data);
  },
};
