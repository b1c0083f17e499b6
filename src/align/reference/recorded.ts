import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { gather, type Moments, samplePositions } from './samplePositions.ts';

/** One tensor as the reference holds it: whole, or a sample with the moments of the whole. */
export interface RecordedTensor {
  /** PyTorch's float32. */
  readonly pytorch: Tensor;
  /** PyTorch's float64 on the same inputs: the truth both are measured by. */
  readonly truth: Tensor;
  readonly moments?: Moments;
  /**
   * The largest error to the truth that PyTorch's float32 makes on the whole tensor when it adds in other orders
   * (`fixtures/reference_export/rounding.py`). Recorded where samples are short: a single run may be right on a
   * few elements by luck.
   */
  readonly rounding?: number;
}

const momentsFrom = (stats: Tensor | undefined): Moments | undefined => {
  if (stats === undefined) return undefined;
  const [sum, sumOfSquares, min, max] = toFloat64(stats);
  return { sum, sumOfSquares, min, max };
};

/** Finds `name` among a reference file's arrays; undefined when it was not recorded. */
export function recorded(arrays: Pick<TensorMap, 'get'>, name: string): RecordedTensor | undefined {
  const pytorch = arrays.get(`f32/${name}`);
  const truth = arrays.get(`f64/${name}`);
  const rounding = arrays.get(`rounding/${name}`);
  const spread = rounding === undefined ? {} : { rounding: toFloat64(rounding)[0] };
  if (pytorch !== undefined && truth !== undefined) return { pytorch, truth, ...spread };
  const sample = arrays.get(`f32/${name}#sample`);
  const truthSample = arrays.get(`f64/${name}#sample`);
  const moments = momentsFrom(arrays.get(`f64/${name}#stats`));
  if (sample === undefined || truthSample === undefined || moments === undefined) return undefined;
  return { pytorch: sample, truth: truthSample, moments, ...spread };
}

/** The elements of a whole tensor that the reference holds of it. */
export const asRecorded = (whole: Tensor, { moments, pytorch }: RecordedTensor): Tensor =>
  moments === undefined
    ? whole
    : gather(whole, samplePositions(whole.data.length, pytorch.data.length));

/** Names under a prefix, without it: `recordedNames(arrays, 'iter0/')`. */
export function recordedNames(arrays: TensorMap, prefix: string): string[] {
  const start = `f32/${prefix}`;
  const names = [...arrays.keys()].filter(
    (key) => key.startsWith(start) && !key.endsWith('#stats'),
  );
  return names.map((key) => key.slice(start.length).replace(/#sample$/, ''));
}
