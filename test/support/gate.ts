import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../src/tensor/tensor.ts';

/** A tensor and by what it must be judged, told from PyTorch's arrays alone; thresholds are written here. */
export type Gate = { readonly name: string } & (FarFromTruth | FarFromPyTorch | Different | Ulps);

/** ‖a − truth‖ over `unit` ≤ `bar`, and ≤ 4 × PyTorch's own. */
export interface FarFromTruth {
  readonly by: 'truth';
  readonly truth: Float64Array;
  readonly measure: 'relative l2' | 'scaled';
  /** What a norm of the error is divided by. */
  readonly norm: number;
  readonly bar: number;
  /** The error that counts as one in the ratio; absent where no ratio is asked for. */
  readonly one?: number;
  /** Sum, sum of squares, least and greatest of the whole, where `truth` is a sample. */
  readonly stats?: Float64Array;
  /** The mean |a − b| that passes, to PyTorch's float32. */
  readonly mean?: { readonly to: Tensor; readonly threshold: number };
  readonly shape: readonly number[];
}

export interface FarFromPyTorch {
  readonly by: 'mean' | 'relative l2';
  readonly to: Tensor;
  readonly threshold: number;
}

export interface Different {
  readonly by: 'equal';
  readonly to: Tensor;
  /** Numbers this near are equal. */
  readonly within?: number;
}

export interface Ulps {
  readonly by: 'ulp';
  readonly threshold: number;
  /** The largest that each element, or a term of it, ever was; unknown where only our own gradients tell. */
  readonly scales?: Float64Array;
  /** What it is held against, and how far, relatively, our word for that may be from this. */
  readonly against?: { readonly values: Float64Array; readonly apart: number };
}

/** Where a tensor is sampled: ⌊frac(k·φ)·size⌋. */
export const sampledAt = (size: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, k) => Math.floor(((k * 0.6180339887498949) % 1) * size));

export const norm = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]);

/** What the arrays hold below a prefix. */
export const namesIn = (arrays: TensorMap, prefix = ''): string[] =>
  [...arrays.keys()].flatMap((key) => {
    const name = /^f32\/(.*?)(#sample)?$/.exec(key)?.[1];
    const counts = name?.startsWith(prefix) && !name.endsWith('#stats');
    return counts ? [name!.slice(prefix.length)] : [];
  });

/** An array, or the sample of it. */
export const arrayIn = (arrays: TensorMap, key: string): Tensor =>
  arrays.get(key) ?? arrays.get(`${key}#sample`)!;

export interface Bars {
  readonly bar: number;
  /** Biases that batch norm cancels: judged by the size of the weight beside them. */
  readonly cancelled?: readonly string[];
  readonly mean?: number;
}

/** `f32/…` and `f64/…` of a key, whole or the sample. */
export function toTruth(
  name: string,
  arrays: TensorMap,
  key: string,
  bars: Bars,
): Gate & FarFromTruth {
  const to = arrayIn(arrays, `f32/${key}`);
  const stats = arrays.get(`f64/${key}#stats`);
  const truth = toFloat64(arrayIn(arrays, `f64/${key}`));
  const bias = bars.cancelled?.find((b) => `${key}.`.includes(`${b}.`));
  const weight = bias && key.replace(bias, bias.replace(/bias$/, 'weight'));
  const partner = weight && toFloat64(arrayIn(arrays, `f64/${weight}`));
  const unit = partner
    ? (norm(partner) / Math.sqrt(partner.length)) * Math.sqrt(truth.length)
    : norm(truth);
  const own = norm(difference(toFloat64(to), truth)) / unit;
  return {
    name,
    by: 'truth',
    measure: partner ? 'scaled' : 'relative l2',
    truth,
    norm: unit,
    bar: bars.bar,
    one: Math.max(own, 2 ** -24),
    shape: to.shape,
    ...(stats && { stats: toFloat64(stats) }),
    ...(bars.mean && { mean: { to, threshold: bars.mean } }),
  };
}

export const constant = (values: Float64Array): boolean => values.every((v) => v === values[0]);

export const digests = (rows: readonly string[]): Tensor =>
  tensor('uint8', [rows.length, 32], Uint8Array.from(Buffer.from(rows.join(''), 'hex')));

export const initialWeights = (of: Readonly<Record<string, string>>): Gate => ({
  name: 'initial weights',
  by: 'equal',
  to: digests(Object.values(of)),
});
