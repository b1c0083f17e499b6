import type * as TensorFlow from '@tensorflow/tfjs';
import type { Shape } from '../../tensor/shape.ts';

/** The library as a type: the package itself is loaded only when a backend is opened. */
export type Tf = typeof TensorFlow;

/**
 * A value of the graph. TensorFlow.js convolves and pools images with their channels last, so a value of
 * four dimensions may lie that way, [n, h, w, c], for as long as nobody needs it as the graph declares it.
 */
export interface Value {
  readonly tensor: TensorFlow.Tensor;
  readonly channelsLast: boolean;
}

/** The dimensions of a tensor of any rank. */
export const shapeOf = ({ shape }: TensorFlow.Tensor): Shape => shape;

/** A value that lies as the graph declares it. */
export const declared = (tensor: TensorFlow.Tensor): Value => ({ tensor, channelsLast: false });

/** A value with its channels last. */
export const channelsLast = (tensor: TensorFlow.Tensor): Value => ({ tensor, channelsLast: true });

/** The tensor as the graph declares it: NCHW. */
export const asDeclared = (tf: Tf, x: Value): TensorFlow.Tensor =>
  x.channelsLast ? tf.transpose(x.tensor, [0, 3, 1, 2]) : x.tensor;

/** The tensor as NHWC. */
export const asChannelsLast = (tf: Tf, x: Value): TensorFlow.Tensor4D =>
  (x.channelsLast ? x.tensor : tf.transpose(x.tensor, [0, 2, 3, 1])) as TensorFlow.Tensor4D;
