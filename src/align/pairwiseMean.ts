const { fround } = Math;

/**
 * NumPy's sum of float32 values in float32: pairwise, eight running sums a block of at most 128.
 * Repeating it lets our logs carry reprod_log's own digits. (numpy/_core/src/umath/loops_utils.h.src)
 */
function pairwiseSum(values: Float32Array, from: number, count: number): number {
  if (count < 8) {
    let sum = 0;
    for (let i = from; i < from + count; i++) sum = fround(sum + values[i]);
    return sum;
  }
  if (count > 128) {
    const half = Math.floor(count / 2);
    const left = half - (half % 8);
    return fround(pairwiseSum(values, from, left) + pairwiseSum(values, from + left, count - left));
  }
  const lanes = new Float32Array(8);
  const whole = count - (count % 8);
  for (let i = 0; i < whole; i++) lanes[i % 8] += values[from + i];
  const pair = (a: number): number => fround(lanes[a] + lanes[a + 1]);
  let sum = fround(fround(pair(0) + pair(2)) + fround(pair(4) + pair(6)));
  for (let i = whole; i < count; i++) sum = fround(sum + values[from + i]);
  return sum;
}

/** np.abs(a − b).mean() for float32 arrays, to the last bit. */
export function meanAbsFloat32(a: Float32Array, b: Float32Array): number {
  const distances = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) distances[i] = Math.abs(fround(a[i] - b[i]));
  return fround(pairwiseSum(distances, 0, distances.length) / distances.length);
}
