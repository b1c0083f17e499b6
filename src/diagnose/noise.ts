import { type Shape, sizeOf } from '../tensor/shape.ts';

/** Differences between two tensors, where they are known. */
export interface Differences {
  /** Ours minus the truth. */
  readonly errors: Float64Array;
  readonly truth: Float64Array;
  /** Flat positions in `shape` at which they lie. */
  readonly at: Int32Array;
  readonly shape: Shape;
  /** Numbers at the same places of which the errors may be a function: what the tensor is computed from. */
  readonly beside: readonly Float64Array[];
}

/** Of fewer elements nobody can tell noise from a curve. */
export const fewestForNoise = 128;

/** More are not looked at: these tell. */
const most = 2 ** 13;

const standardDeviations = 3.5;

/** Real rounding is not quite without pattern: the same rounded weight is in all positions of a channel. */
const slack = 0.1;

/** An error so small beside the others is rounding. */
const small = 0.02;

/** Where more are as small as that, the error lies somewhere and not everywhere. */
const mostSmall = 0.35;

/** Indices in the order in which `key` ascends. */
function orderedBy(indices: Int32Array, key: (i: number) => number): Int32Array {
  const keys = Float64Array.from(indices, key);
  const order = Int32Array.from(indices.keys());
  return order.sort((a, b) => keys[a] - keys[b]).map((k) => indices[k]);
}

/** The orders in which neighbours would be alike, were it no noise: along every axis, by value, by what stands beside. */
function* ordersOf(
  { at, shape, truth, beside }: Differences,
  indices: Int32Array,
): Generator<Int32Array> {
  yield orderedBy(indices, (i) => at[i]);
  const size = sizeOf(shape);
  for (const [axis, extent] of shape.entries()) {
    if (extent < 3) continue;
    const stride = sizeOf(shape.slice(axis + 1));
    // The axis fastest, all else as it lies.
    const line = (p: number): number => Math.floor(p / (stride * extent)) * stride + (p % stride);
    yield orderedBy(indices, (i) => line(at[i]) * size + (Math.floor(at[i] / stride) % extent));
  }
  for (const values of [truth, ...beside]) yield orderedBy(indices, (i) => values[i]);
}

/** Share by which signs of neighbours agree more often than they differ, −1 to 1. */
function correlation(signs: Int8Array, order: Int32Array, lag: number): number {
  let sum = 0;
  for (let k = lag; k < order.length; k++) sum += signs[order[k]] * signs[order[k - lag]];
  return sum / (order.length - lag);
}

/** Whether signs lean to a side at single indices of an axis, more than chance lets them. */
function leans(signs: Int8Array, { at, shape }: Differences, indices: Int32Array): boolean {
  return shape.some((extent, axis) => {
    if (extent < 2) return false;
    const stride = sizeOf(shape.slice(axis + 1));
    const sums = new Float64Array(extent);
    for (const i of indices) sums[Math.floor(at[i] / stride) % extent] += signs[i];
    const square = sums.reduce((sum, x) => sum + x * x, 0) / indices.length;
    const allowed = 1 + 5 * Math.sqrt(2 / extent) + slack * slack * (indices.length / extent);
    return square > allowed;
  });
}

/**
 * Whether differences are noise: on no side of zero more than on the other, alike between neighbours along no axis, no
 * function of the values, and everywhere. The same is asked of them relative to the truth. Signs are counted, not
 * sizes: a few large ones hide nothing.
 */
export function isNoise(of: Differences): boolean {
  const { errors, truth, beside } = of;
  const telling = Int32Array.from(errors.keys())
    .filter((i) => errors[i] !== 0 || truth[i] !== 0)
    .slice(0, most);
  if (telling.length < fewestForNoise) return false;
  const squares = telling.reduce((sum, i) => sum + errors[i] * errors[i], 0);
  const size = Math.sqrt(squares / telling.length);
  const tiny = telling.filter((i) => Math.abs(errors[i]) < small * size).length;
  if (tiny > mostSmall * telling.length) return false;
  const indices = telling.filter((i) => errors[i] !== 0);
  const bound = Math.max(standardDeviations / Math.sqrt(indices.length), slack);
  const plain = Int8Array.from(errors, Math.sign);
  const relative = [truth, ...beside].map((values) =>
    plain.map((sign, i) => sign * (values[i] < 0 ? -1 : 1)),
  );
  const all = [plain, ...relative];
  const leaning = all.some((signs) => {
    const mean = indices.reduce((sum, i) => sum + signs[i], 0) / indices.length;
    return Math.abs(mean) > bound || leans(signs, of, indices);
  });
  if (leaning) return false;
  for (const order of ordersOf(of, indices)) {
    const alike = all.some((signs) =>
      [1, 2].some((lag) => Math.abs(correlation(signs, order, lag)) > bound),
    );
    if (alike) return false;
  }
  return true;
}
