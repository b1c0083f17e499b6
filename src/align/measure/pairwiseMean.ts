const { fround } = Math;

type Floats = Float32Array | Float64Array;

const itself = (x: number): number => x;

/**
 * NumPy's sum of floats in their own precision: pairwise, eight running sums a block of at most 128.
 * Repeating it lets our logs carry reprod_log's own digits. (numpy/_core/src/umath/loops_utils.h.src)
 */
function pairwiseSum(values: Floats, from: number, count: number): number {
  const round = values instanceof Float32Array ? fround : itself;
  if (count < 8) {
    let sum = 0;
    for (let i = from; i < from + count; i++) sum = round(sum + values[i]);
    return sum;
  }
  if (count > 128) {
    const half = Math.floor(count / 2);
    const left = half - (half % 8);
    return round(pairwiseSum(values, from, left) + pairwiseSum(values, from + left, count - left));
  }
  const lanes = values instanceof Float32Array ? new Float32Array(8) : new Float64Array(8);
  const whole = count - (count % 8);
  for (let i = 0; i < whole; i++) lanes[i % 8] += values[from + i];
  const pair = (a: number): number => round(lanes[a] + lanes[a + 1]);
  let sum = round(round(pair(0) + pair(2)) + round(pair(4) + pair(6)));
  for (let i = whole; i < count; i++) sum = round(sum + values[from + i]);
  return sum;
}

/** values.mean() of a float32 or float64 array, to the last bit. */
export function pairwiseMean(values: Floats): number {
  const mean = pairwiseSum(values, 0, values.length) / values.length;
  return values instanceof Float32Array ? fround(mean) : mean;
}

/** NumPy casts so many elements at a time where it sums in another type than the array's. */
const CAST_BLOCK = 8192;

/**
 * The mean of a float16 array, given as float32, before NumPy rounds it to float16: added up in float32,
 * block by block, each block pairwise.
 */
export function castMean(values: Float32Array): number {
  let sum = 0;
  for (let from = 0; from < values.length; from += CAST_BLOCK) {
    const count = Math.min(CAST_BLOCK, values.length - from);
    sum = fround(sum + pairwiseSum(values, from, count));
  }
  return sum / values.length;
}

/** np.abs(a − b).mean() for float32 arrays, to the last bit. */
export function meanAbsFloat32(a: Float32Array, b: Float32Array): number {
  const distances = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) distances[i] = Math.abs(fround(a[i] - b[i]));
  return pairwiseMean(distances);
}
