import { randomNumbers } from '../../../port/testdata/randomReference.ts';
import { type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';

/** The truth, off by `error` of its norm in a random direction. */
export function off(truth: Tensor, error: number): Tensor {
  const values = toFloat64(truth);
  const noise = randomNumbers(values.length, 99);
  const norm = (v: Float64Array) => Math.hypot(...v);
  const step = (error * norm(values)) / norm(noise);
  return tensor(
    'float64',
    truth.shape,
    values.map((v, i) => v + step * noise[i]),
  );
}
