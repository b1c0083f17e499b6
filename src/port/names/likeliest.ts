import { assign, impossible } from './assign.ts';
import { type Alike, clearName, goodName, related } from './evidence.ts';
import type { likelyOrders } from './likelyOrders.ts';
import { closeness, errorOf, type Ours, type Theirs, type Ways } from './values.ts';
import type { Way } from './ways.ts';

/** What is known of a port by what fits surely. */
export interface Known {
  readonly ways: Ways;
  readonly alike: Alike;
  /** The same without what the asked tensor itself taught. */
  readonly alikeByOthers: Alike;
  /** How near a tensor stands to where a probe is computed, 0 to 1. */
  readonly place: (ours: Ours, theirs: Theirs) => number;
  readonly orders: ReturnType<typeof likelyOrders>;
}

interface Likeliest {
  readonly ours: Ours;
  readonly theirs: Theirs;
  readonly way: Way;
  readonly near: number;
  readonly alike: number;
  readonly error: number;
}

/** Another order of axes than the usual one must say so much more. */
const clearly = 0.2;

/** A shape that no order of axes explains speaks against a pair. */
const otherShape = 0.2;

/**
 * Pairs tensors with probes of one size that no value fits, each used once: by their names, by what their values still
 * have in common, and by their place. Of `contested` ones values say nothing. What has nothing for it but its shape is
 * paired only where all are.
 */
export function likeliestPairs(
  ours: readonly Ours[],
  theirs: readonly Theirs[],
  contested: ReadonlySet<Ours>,
  { ways, alikeByOthers: alike, place, orders }: Known,
): Likeliest[] {
  const nearest = (a: Ours, b: Theirs): { way: Way; near: number } | undefined => {
    let found: { way: Way; near: number } | undefined;
    for (const way of orders.sorted(ways.between(a, b), b)) {
      const near = contested.has(a) ? 0 : closeness(a, b, ways.offsets(way, b));
      if (found === undefined || near > found.near + clearly) found = { way, near };
    }
    return found;
  };
  const score = (a: Ours, b: Theirs): number => {
    const { way, near } = nearest(a, b)!;
    const shape = way.reshaped === true ? otherShape : 0;
    return 0.5 * alike(a, b) + 0.4 * near + 0.1 * place(a, b) - shape;
  };
  const sameMany = ours.length === theirs.length;
  return assign(ours.length, theirs.length, (i, j) => score(ours[i], theirs[j])).flatMap(
    ([i, j]): Likeliest[] => {
      const [a, b] = [ours[i], theirs[j]];
      const { way, near } = nearest(a, b)!;
      const name = alike(a, b);
      if (name < goodName && near < related && !sameMany) return [];
      const error = errorOf(a, b, ways.offsets(way, b));
      return [{ ours: a, theirs: b, way, near, alike: name, error }];
    },
  );
}

/** Pairs what is left by names that leave no doubt, whatever the shapes. */
export function pairsByName(
  ours: readonly Ours[],
  theirs: readonly Theirs[],
  alike: Alike,
): [Ours, Theirs][] {
  const pairs = assign(ours.length, theirs.length, (i, j) => {
    const name = ours[i].name === theirs[j].probe.name ? 2 : alike(ours[i], theirs[j]);
    return name >= clearName ? name : impossible;
  });
  return pairs.map(([i, j]) => [ours[i], theirs[j]]);
}
