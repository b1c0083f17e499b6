import * as tf from '@tensorflow/tfjs';
import { type PortReference, Recorder } from 'swa-align';

/** What people get wrong; `none` is right. */
export type Mistake = 'none' | 'TensorFlow’s epsilon' | 'biased running variance';

type Weights = Readonly<Record<string, tf.Tensor>>;

/** Convolutions and dense layers have other axes here than in PyTorch. */
const layouts: Readonly<Record<string, string>> = {
  'stem.weight': 'HWIO',
  'block.conv.weight': 'HWIO',
  'fc.weight': 'in,out',
};
const [lr, momentum, weightDecay, bnMomentum] = [0.05, 0.9, 5e-4, 0.1];

function given(ref: PortReference, name: string): tf.Tensor {
  const layout = layouts[name];
  const { data, shape } = ref.weight(name, layout === undefined ? {} : { layout });
  return tf.tensor(data as Float32Array, [...shape]);
}

const parameters = [
  ...['stem.weight', 'bn.weight', 'bn.bias', 'block.conv.weight', 'block.bn.weight'],
  ...['block.bn.bias', 'fc.weight', 'fc.bias'],
];
const buffers = ['bn', 'block.bn'].flatMap((n) => [`${n}.running_mean`, `${n}.running_var`]);

/** Two steps of SGD in TensorFlow.js, NHWC, on the weights and images of the reference. */
export function run(ref: PortReference, mistake: Mistake = 'none'): Recorder {
  const rec = new Recorder(ref);
  let weights: Weights = Object.fromEntries(parameters.map((n) => [n, given(ref, n)]));
  let running: Weights = Object.fromEntries(buffers.map((n) => [n, given(ref, n)]));
  let velocity: Weights = {};

  for (let pass = 0; pass < ref.manifest.passes.length; pass++) {
    const add = (name: string, value: tf.Tensor, layout?: string): tf.Tensor => {
      rec.add(name, value, layout === undefined ? { pass } : { pass, layout });
      return value;
    };
    const image = ref.input('input.0', { pass, layout: 'NHWC' });
    const x = tf.tensor4d(
      image.data as Float32Array,
      image.shape as [number, number, number, number],
    );
    const labels = tf.tensor1d(ref.input('input.1', { pass, dtype: 'int32' }).data, 'int32');

    const statistics: Record<string, tf.Tensor> = {};
    const norm = (name: string, y: tf.Tensor, w: Weights): tf.Tensor => {
      const { mean, variance } = tf.moments(y, [0, 1, 2]);
      const count = y.size / mean.size;
      const share = mistake === 'biased running variance' ? 1 : count / (count - 1);
      const moved = (key: string, value: tf.Tensor): tf.Tensor =>
        tf.keep(running[key].mul(1 - bnMomentum).add(value.mul(bnMomentum)));
      statistics[`${name}.running_mean`] = moved(`${name}.running_mean`, mean);
      statistics[`${name}.running_var`] = moved(`${name}.running_var`, variance.mul(share));
      const eps = name === 'block.bn' && mistake === 'TensorFlow’s epsilon' ? 1e-3 : 1e-5;
      const normal = y.sub(mean).div(variance.add(eps).sqrt());
      return add(`${name}.output`, normal.mul(w[`${name}.weight`]).add(w[`${name}.bias`]), 'NHWC');
    };
    const conv = (name: string, y: tf.Tensor, w: Weights): tf.Tensor =>
      add(
        `${name}.output`,
        tf.conv2d(y as tf.Tensor4D, w[`${name}.weight`] as tf.Tensor4D, 1, 'same'),
        'NHWC',
      );
    const loss = (w: Weights): tf.Scalar => {
      const stem = add('relu.output', norm('bn', conv('stem', x, w), w).relu(), 'NHWC');
      const inner = norm('block.bn', conv('block.conv', stem, w), w);
      const sum = add('block.add.output', stem.add(inner), 'NHWC');
      const out = add('block.relu.output', sum.relu(), 'NHWC');
      const logits = add('fc.output', out.mean([1, 2]).matMul(w['fc.weight']).add(w['fc.bias']));
      const right = tf.oneHot(labels, 5).mul(logits.logSoftmax()).sum(1);
      return add('loss', right.mean().neg()) as tf.Scalar;
    };
    const gradients = tf.grads((...list: tf.Tensor[]) =>
      loss(Object.fromEntries(parameters.map((n, i) => [n, list[i]]))),
    )(parameters.map((n) => weights[n]));

    const next: Record<string, tf.Tensor> = {};
    const nextVelocity: Record<string, tf.Tensor> = {};
    for (const [i, name] of parameters.entries()) {
      add(`${name}.grad`, gradients[i], layouts[name]);
      const d = gradients[i].add(weights[name].mul(weightDecay));
      nextVelocity[name] = velocity[name] === undefined ? d : velocity[name].mul(momentum).add(d);
      next[name] = weights[name].sub(nextVelocity[name].mul(lr));
      add(`${name}.momentum`, nextVelocity[name], layouts[name]);
      add(name, next[name], layouts[name]);
    }
    running = Object.fromEntries(buffers.map((n) => [n, add(n, statistics[n])]));
    [weights, velocity] = [next, nextVelocity];
  }
  return rec;
}
