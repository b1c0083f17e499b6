import type { Kernel } from './kernel.ts';
import { floats } from './value.ts';

/** y = (x − mean) / √(variance + eps) · weight + bias, by channel. */
export const batchNorm: Kernel<'batchNorm'> = ({ eps }, [x, weight, bias, mean, variance]) => {
  const [batch, channels, height, width] = x.shape;
  const out = new Float64Array(x.data.length);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const deviation = Math.sqrt(variance.data[c] + eps);
      for (const end = at + height * width; at < end; at++) {
        out[at] = ((x.data[at] - mean.data[c]) / deviation) * weight.data[c] + bias.data[c];
      }
    }
  }
  return floats(x.shape, out);
};
