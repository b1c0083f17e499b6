import type { Probe } from '../reference/probe.ts';

/**
 * For every probe that failed, the probes that it is computed from and that had failed already: what is wrong there
 * may be theirs. Through probes that the port did not record the question goes on to what they are computed from.
 */
export function inheritedFrom(
  probes: readonly Probe[],
  failed: ReadonlySet<string>,
  judged: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  // Of a probe nobody judged: the failed ones behind it.
  const behind = new Map<string, readonly string[]>();
  const found = new Map<string, readonly string[]>();
  for (const { name, from = [] } of probes) {
    const sources = [
      ...new Set(
        from.flatMap((source) => {
          if (failed.has(source)) return [source];
          return judged.has(source) ? [] : (behind.get(source) ?? []);
        }),
      ),
    ];
    if (!judged.has(name)) behind.set(name, sources);
    else if (failed.has(name) && sources.length > 0) found.set(name, sources);
  }
  return found;
}
