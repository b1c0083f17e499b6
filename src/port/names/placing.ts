/**
 * How near a tensor of ours stands to where it should, 0 to 1, by the pairs that are known: what was recorded between
 * two known tensors was probably computed between their probes.
 */
export function placing(
  pairs: readonly (readonly [number, number])[],
  ours: number,
  theirs: number,
): (i: number, j: number) => number {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
  const known = sorted.length === 0 ? [[-1, -1] as const, [ours, theirs] as const] : sorted;
  const [first, last] = [known[0], known[known.length - 1]];
  const expected = Array.from({ length: ours }, (_, i) => {
    // Before the first and behind the last, one for one.
    if (i <= first[0]) return first[1] + i - first[0];
    if (i >= last[0]) return last[1] + i - last[0];
    const after = known.findIndex(([at]) => at >= i);
    const [[at, index], [nextAt, next]] = [known[after - 1], known[after]];
    return index + ((i - at) / (nextAt - at)) * (next - index);
  });
  // Squared, two that cross are farther than two that do not.
  return (i, j) => 1 - Math.min(1, ((expected[i] - j) / Math.max(1, theirs)) ** 2);
}
