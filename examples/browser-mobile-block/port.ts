import * as tf from '@tensorflow/tfjs';
import { type PortReference, Recorder } from 'swa-align/browser';

/** What people get wrong; `none` is right. */
export type Mistake = 'none' | 'same padding' | 'swish';

/** The network in TensorFlow.js, NHWC, on the weights and images of the reference; every output recorded. */
export async function run(ref: PortReference, mistake: Mistake = 'none'): Promise<Recorder> {
  const rec = new Recorder(ref);
  const weight = (name: string, layout?: string): tf.Tensor => {
    const { data, shape } = ref.weight(name, { dtype: 'float32', ...(layout && { layout }) });
    return tf.tensor(data, [...shape]);
  };
  /** Reads a tensor that may lie on the GPU. */
  const add = async <T extends tf.Tensor>(name: string, value: T, layout?: string): Promise<T> => {
    await rec.addAsync(`${name}.output`, value, layout === undefined ? {} : { layout });
    return value;
  };

  const conv = (name: string, x: tf.Tensor4D): tf.Tensor4D => {
    if (name === 'depthwise')
      return tf.depthwiseConv2d(x, weight('depthwise.conv.weight', 'HWIM') as tf.Tensor4D, 1, 1);
    const kernel = weight(`${name}.conv.weight`, 'HWIO') as tf.Tensor4D;
    if (name === 'pointwise') return tf.conv2d(x, kernel, 1, 'valid');
    // With stride 2, TensorFlow's 'same' pads the bottom and the right only; PyTorch all four sides.
    return tf.conv2d(x, kernel, 2, mistake === 'same padding' ? 'same' : 1);
  };
  const act = (x: tf.Tensor4D): tf.Tensor4D =>
    mistake === 'swish' ? x.mul(x.sigmoid()) : x.mul(x.add(3).clipByValue(0, 6)).div(6);

  async function layer(name: string, x: tf.Tensor4D): Promise<tf.Tensor4D> {
    const y = await add(`${name}.conv`, conv(name, x), 'NHWC');
    const [mean, variance, shift, scale] = ['running_mean', 'running_var', 'bias', 'weight'].map(
      (which) => weight(`${name}.bn.${which}`) as tf.Tensor1D,
    );
    const normal = await add(
      `${name}.bn`,
      tf.batchNorm4d(y, mean, variance, shift, scale, 1e-5),
      'NHWC',
    );
    return add(`${name}.act`, act(normal), 'NHWC');
  }

  const { data, shape } = ref.input('input', { layout: 'NHWC', dtype: 'float32' });
  let x = tf.tensor4d(data, shape as [number, number, number, number]);
  for (const name of ['stem', 'depthwise', 'pointwise']) x = await layer(name, x);
  const logits = x.mean([1, 2]).matMul(weight('fc.weight', 'in,out')).add(weight('fc.bias'));
  await add('fc', logits);
  await rec.addAsync('output', logits);
  return rec;
}
