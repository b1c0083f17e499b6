import type { Fit } from './fits.ts';
import type { Theirs } from './values.ts';
import type { Way } from './ways.ts';

/** What has its axes in an order of its own: a port lays weights out by one rule, activations by another. */
const familyOf = ({ probe }: Theirs): string => {
  const ofWeight = /weight|optimizer/.test(probe.kind) || probe.kind === 'buffer';
  return `${ofWeight ? 'weight' : 'activation'} ${probe.shape.length}`;
};

/** Which of several orders of axes a port is likely to mean, by those that leave no doubt. */
export function likelyOrders(known: readonly Fit[]) {
  const votes = new Map<string, number>();
  for (const { ways, theirs } of known) {
    if (ways.length !== 1) continue;
    const key = `${familyOf(theirs)}: ${ways[0].order}`;
    votes.set(key, (votes.get(key) ?? 0) + 1);
  }
  /** The likeliest first; as they came where nothing is known. */
  const sorted = (ways: readonly Way[], theirs: Theirs): Way[] => {
    const votesFor = ({ order }: Way): number => votes.get(`${familyOf(theirs)}: ${order}`) ?? 0;
    return ways.toSorted((a, b) => votesFor(b) - votesFor(a));
  };
  return {
    sorted,
    choose: (ways: readonly Way[], theirs: Theirs): Way => sorted(ways, theirs)[0],
  };
}
