import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { Window } from '../../../ir/op.ts';
import { asChannelsLast, channelsLast, type Tf } from '../value.ts';
import type { KernelTable } from './kernel.ts';
import { padded, paddedSize, pairOf, withoutPadding } from './padding.ts';

/** The rows and columns that some window reaches, from the first on. */
function reached(tf: Tf, x: Tensor4D, { kernel, stride }: Window): Tensor4D {
  const [n, h, w, c] = x.shape;
  const [rows, columns] = [h, w].map((size, axis) => size - ((size - kernel[axis]) % stride[axis]));
  return rows === h && columns === w ? x : tf.slice(x, [0, 0, 0, 0], [n, rows, columns, c]);
}

/**
 * Maximum over windows; the padding never wins. Where several are greatest, the derivative goes to the first,
 * as in PyTorch. WebGPU's kernel takes the last instead, so there the images are turned around and back.
 */
function largest(tf: Tf, x: Tensor4D, window: Window): Tensor4D {
  const images = padded(tf, x, window.padding, -Infinity);
  const pool = (from: Tensor4D): Tensor4D =>
    tf.maxPool(from, pairOf(window.kernel), pairOf(window.stride), 'valid');
  if (tf.getBackend() !== 'webgpu') return pool(images);
  const turned = (t: Tensor4D): Tensor4D => tf.reverse(t, [1, 2]);
  return turned(pool(turned(reached(tf, images, window))));
}

export const pooling: KernelTable<'maxPool2d' | 'maxPool2dGrad' | 'avgPool2d' | 'avgPool2dGrad'> = {
  maxPool2d: (tf, window, [x]) => channelsLast(largest(tf, asChannelsLast(tf, x), window)),

  // the library has the derivative for the tie-breaking above only where it differentiates it itself
  maxPool2dGrad: (tf, window, [x, dy]) => {
    const dx = tf.grad((images: Tensor) => largest(tf, images as Tensor4D, window));
    return channelsLast(dx(asChannelsLast(tf, x), asChannelsLast(tf, dy)));
  },

  // an average counts the padding, as PyTorch's default does
  avgPool2d: (tf, window, [x]) => {
    const images = padded(tf, asChannelsLast(tf, x), window.padding, 0);
    const { kernel, stride } = window;
    return channelsLast(tf.avgPool(images, pairOf(kernel), pairOf(stride), 'valid'));
  },

  avgPool2dGrad: (tf, { inputSize, ...window }, [x]) => {
    const dy = asChannelsLast(tf, x);
    const [h, w] = paddedSize(inputSize, window.padding);
    // of the input, only its shape counts
    const input = tf.zeros([dy.shape[0], h, w, dy.shape[3]]);
    const dx = tf
      .engine()
      .runKernel<Tensor>(
        tf.AvgPoolGrad,
        { dy, input },
        { filterSize: pairOf(window.kernel), strides: pairOf(window.stride), pad: 'valid' },
      );
    return withoutPadding(tf, dx, window.padding, inputSize);
  },
};
