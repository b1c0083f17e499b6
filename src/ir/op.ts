/**
 * The operations of the IR: one row an op, its parameters beside it.
 *
 * Every table over the ops (shape rules, adjoints, each backend's lowering) is total over `Op`, so
 * a new row here makes the compiler ask for all the others.
 *
 * Layouts are PyTorch's: images NCHW, convolution weights OIHW, linear weights [out, in].
 */

/** `float` is float32 on a device and float64 in the oracle; `int` is int64. */
export type DType = 'float' | 'int';

/** Height and width. */
export type Pair = readonly [number, number];

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

type None = Readonly<Record<string, never>>;

export interface OpParams {
  /** A tensor fed on every run, or held as state. */
  input: { readonly name: string; readonly shape: readonly number[]; readonly dtype: DType };
  /** One number in every element. */
  constant: { readonly value: number; readonly shape: readonly number[] };

  // Elementwise; the binary ones broadcast as NumPy does.
  add: None;
  sub: None;
  mul: None;
  div: None;
  neg: None;
  exp: None;
  sqrt: None;
  relu: None;
  /** (dy, y) → dy where y > 0, else 0; y is ReLU's output. */
  reluGrad: None;
  /** 1 where two int tensors agree, else 0, as float. */
  equal: None;

  // Linear algebra.
  /** [m, k] × [k, n], either operand transposed first. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** (x NCHW, w OIHW) → y: cross-correlation, as every deep-learning library's "convolution". */
  conv2d: { readonly stride: Pair; readonly padding: Pair };
  /** (dy, w) → dx. `inputSize` settles what the stride rounded away. */
  conv2dInputGrad: { readonly stride: Pair; readonly padding: Pair; readonly inputSize: Pair };
  /** (x, dy) → dw. */
  conv2dWeightGrad: { readonly stride: Pair; readonly padding: Pair; readonly kernel: Pair };

  // Pooling and normalisation.
  /** The first of equal maxima wins, in row-major window order. */
  maxPool2d: Window;
  /** (x, dy) → dx: each dy goes to the place that won its window. */
  maxPool2dGrad: Window;
  /** Padding counts in the divisor, as PyTorch's default does. */
  avgPool2d: Window;
  /** (dy) → dx. */
  avgPool2dGrad: Window & { readonly inputSize: Pair };
  /** (x, weight, bias, mean, variance) → (x − mean) / √(variance + eps) · weight + bias, by channel. */
  batchNorm: { readonly eps: number };

  // Shape and reduction.
  reshape: { readonly shape: readonly number[] };
  transpose: { readonly perm: readonly number[] };
  broadcastTo: { readonly shape: readonly number[] };
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };

  // Classification.
  /** x − log Σ exp x along the last axis. */
  logSoftmax: None;
  /** Class numbers [n] → float [n, classes]. */
  oneHot: { readonly classes: number };
  /** The first of equal maxima along the last axis, as int. */
  argMax: None;
}

export type Op = keyof OpParams;
