import type { Tensor1D } from '@tensorflow/tfjs';
import { asChannelsLast, channelsLast } from '../value.ts';
import type { KernelTable } from './kernel.ts';

export const normalisation: KernelTable<'batchNorm'> = {
  batchNorm: (tf, { eps }, [x, ...vectors]) => {
    const [weight, bias, mean, variance] = vectors.map(({ tensor }) => tensor as Tensor1D);
    const images = asChannelsLast(tf, x);
    return channelsLast(tf.batchNorm(images, mean, variance, bias, weight, eps));
  },
};
