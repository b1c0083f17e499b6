/** In which order a mean over ranks was added up: its last places tell. */
import type { RankRows } from './combinations.ts';

const { fround } = Math;

/** All sums of some numbers in float32, by the order in which they may be added: one after the other, or in pairs. */
function sumsOf(terms: readonly number[]): Set<number> {
  const [only] = terms;
  if (terms.length === 1) return new Set([only]);
  const sums = new Set<number>();
  // The first term is on the left: a + b is b + a.
  for (let k = 0; k < 2 ** (terms.length - 1) - 1; k++) {
    const isLeft = (i: number): boolean => i === 0 || ((k >> (i - 1)) & 1) === 1;
    const left = sumsOf(terms.filter((_, i) => isLeft(i)));
    const right = sumsOf(terms.filter((_, i) => !isLeft(i)));
    for (const a of left) for (const b of right) sums.add(fround(a + b));
  }
  return sums;
}

const inTurn = (terms: readonly number[]): number => terms.reduce((a, b) => fround(a + b));

/** What makes a mean that is right but for its last places another than the reference's. */
export function roundingOf({ own, ours, count }: RankRows): string {
  const ranks = own.length;
  const share = fround(1 / ranks);
  const everywhere = (is: (terms: readonly number[], got: number) => boolean): boolean =>
    ours.every((got, i) =>
      is(
        own.map((of) => of[i % count]),
        got,
      ),
    );
  const shared = (terms: readonly number[]): number[] => terms.map((x) => fround(x * share));
  if (everywhere((terms, got) => inTurn(shared(terms)) === got)) {
    return "added up in the order of the ranks, not in gloo's: rounded otherwise";
  }
  if (everywhere((terms, got) => sumsOf(shared(terms)).has(got))) {
    return 'added up in another order of the ranks, or in other buckets: rounded otherwise';
  }
  const divided = (terms: readonly number[], got: number): boolean =>
    [...sumsOf(terms)].some((sum) => fround(sum / ranks) === got || fround(sum * share) === got);
  if (everywhere(divided)) return 'divided after the sum, not before it: rounded otherwise';
  return 'rounded otherwise';
}
