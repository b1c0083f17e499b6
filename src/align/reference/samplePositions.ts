import { type Tensor, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';

const golden = 0.6180339887498949;

/**
 * Where a large tensor of `size` elements is sampled: position k is ⌊frac(k·φ)·size⌋, in float64. The
 * golden ratio spreads any number of points evenly and, unlike a fixed stride, keeps no step with rows,
 * channels or kernel taps. Distinct for 4,096 points once size exceeds 16,384.
 */
export function samplePositions(size: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, k) => {
    const turns = k * golden;
    return Math.floor((turns - Math.floor(turns)) * size);
  });
}

/** The elements at `positions` of the flattened tensor; floats only. */
export function gather(t: Tensor, positions: Int32Array): Tensor {
  const source = t.dtype === 'float64' ? t.data : toFloat32(t);
  const picked =
    t.dtype === 'float64' ? new Float64Array(positions.length) : new Float32Array(positions.length);
  for (let i = 0; i < positions.length; i++) picked[i] = source[positions[i]];
  return picked instanceof Float64Array
    ? tensor('float64', [positions.length], picked)
    : tensor('float32', [positions.length], picked);
}

/** What is kept of the whole tensor beside a sample. */
export interface Moments {
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly min: number;
  readonly max: number;
}

/** In float64, one after the other. */
export function momentsOf(t: Tensor): Moments {
  const values = t.dtype === 'float32' ? t.data : toFloat64(t);
  let [sum, sumOfSquares, min, max] = [0, 0, Infinity, -Infinity];
  // By index: an iterator takes six times as long, and every large tensor comes through here.
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    sum += x;
    sumOfSquares += x * x;
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  return { sum, sumOfSquares, min, max };
}
