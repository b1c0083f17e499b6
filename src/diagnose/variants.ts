import { distanceOf, explains, leftToOurs } from './around.ts';
import type { Fit } from './hypothesis.ts';
import { leftOf, type Numbers } from './numbers.ts';

/** A tensor computed anew, by its flat positions. */
export type Computed = (position: number) => number;

/** The same computation with one thing changed. */
export interface Variant extends Pick<Fit, 'key' | 'says'> {
  readonly value: Computed;
}

/**
 * The variants of a computation that give our numbers. None where the computation as it should be does not give the truth:
 * then what it was given is wrong already, or it is not understood.
 */
export function variantFits(numbers: Numbers, right: Computed, variants: Iterable<Variant>): Fit[] {
  const { at } = numbers;
  const distance = distanceOf(numbers);
  const by = (value: Computed) => (i: number) => value(at[i]);
  if (!explains(numbers, leftOf(numbers, by(right)), distance)) return [];
  const found: Fit[] = [];
  for (const { key, says, value } of variants) {
    const left = leftToOurs(numbers, by(value));
    if (explains(numbers, left, distance))
      found.push({ key, says, left, freedom: 0, recomputed: true });
  }
  return found;
}
