import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { OpParams, Pair } from '../../../ir/op.ts';
import { asChannelsLast, channelsLast, declared, shapeOf, type Tf } from '../value.ts';
import type { KernelTable } from './kernel.ts';
import { padded, paddedSize, pairOf, withoutPadding } from './padding.ts';

/** OIHW → HWIO, TensorFlow's order of a kernel's axes. */
const hwio = (tf: Tf, w: Tensor): Tensor4D => tf.transpose(w, [2, 3, 1, 0]) as Tensor4D;
const oihw = (tf: Tf, w: Tensor): Tensor => tf.transpose(w, [3, 2, 0, 1]);

const kernelSize = (w: Tensor): Pair => [shapeOf(w)[2], shapeOf(w)[3]];

const none: Pair = [0, 0];

/** How TensorFlow is told of a padding: by name where the name means the same, else laid around first. */
function paddingOf({ stride, padding }: OpParams['conv2d'], kernel: Pair) {
  const isSame =
    stride.every((s) => s === 1) && padding.every((p, axis) => 2 * p === kernel[axis] - 1);
  return isSame
    ? ({ pad: 'same', around: none } as const)
    : ({ pad: 'valid', around: padding } as const);
}

/**
 * A stride beyond the image gives one window, however long it is. (TensorFlow 2.21 with oneDNN then leaves
 * all rows of an image but the first at zero.)
 */
const withinImages = (stride: Pair, { shape: [, h, w] }: Tensor4D): [number, number] => [
  Math.min(stride[0], h),
  Math.min(stride[1], w),
];

export const convolution: KernelTable<'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad'> = {
  conv2d: (tf, params, [x, w]) => {
    const { pad, around } = paddingOf(params, kernelSize(w.tensor));
    const images = padded(tf, asChannelsLast(tf, x), around, 0);
    const stride = withinImages(params.stride, images);
    return channelsLast(tf.conv2d(images, hwio(tf, w.tensor), stride, pad));
  },

  // this adjoint's other name is transposed convolution; the padding gets its share of it too
  conv2dInputGrad: (tf, { inputSize, ...params }, [dy, w]) => {
    const { pad, around } = paddingOf(params, kernelSize(w.tensor));
    const [height, width] = paddedSize(inputSize, around);
    const dx = tf.conv2dTranspose(
      asChannelsLast(tf, dy),
      hwio(tf, w.tensor),
      [dy.tensor.shape[0], height, width, shapeOf(w.tensor)[1]],
      pairOf(params.stride),
      pad,
    );
    return withoutPadding(tf, dx, around, inputSize);
  },

  conv2dWeightGrad: (tf, { kernel, ...params }, [x, dy]) => {
    const { pad, around } = paddingOf(params, kernel);
    const images = padded(tf, asChannelsLast(tf, x), around, 0);
    const gradient = asChannelsLast(tf, dy);
    const dw = tf.engine().runKernel<Tensor>(
      tf.Conv2DBackpropFilter,
      { x: images, dy: gradient },
      {
        strides: pairOf(params.stride),
        pad,
        dataFormat: 'NHWC',
        filterShape: [...kernel, images.shape[3], gradient.shape[3]],
      },
    );
    return declared(oihw(tf, dw));
  },
};
