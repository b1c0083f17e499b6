/** Insertions, deletions and replacements between two texts. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Up to `count` of `names` that somebody may have meant by `name`, the likeliest first. */
export function nearestNames(name: string, names: readonly string[], count = 3): string[] {
  const far = Math.max(2, Math.ceil(name.length / 3));
  return names
    .filter((other) => Math.abs(other.length - name.length) <= far)
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .filter(({ distance }) => distance <= far)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ other }) => other);
}
