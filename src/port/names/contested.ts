import { isGiven } from '../../align/reference/probe.ts';
import { type Alike, goodName, margin } from './evidence.ts';
import type { Fit } from './fits.ts';
import type { Ours, Theirs, Ways } from './values.ts';

/**
 * Tensors of ours whose values are those of one probe and whose names are clearly another's, which nothing else fits: a
 * port that forgot an operation hands on what was there before. Its name says what it was meant to be. `alikeByOthers`
 * knows nothing from the very pair that it is asked about.
 */
export function contestedBy(
  fits: readonly Fit[],
  theirsBySize: ReadonlyMap<number, readonly Theirs[]>,
  ways: Ways,
  alike: Alike,
  alikeByOthers: Alike,
): ReadonlySet<Ours> {
  const fitted = new Set(fits.map(({ theirs }) => theirs));
  const ofOurs = new Map<Ours, Theirs[]>();
  for (const { ours, theirs } of fits) ofOurs.set(ours, [...(ofOurs.get(ours) ?? []), theirs]);
  const isContested = (ours: Ours, own: readonly Theirs[]): boolean =>
    (theirsBySize.get(ours.tensor.data.length) ?? []).some((other) => {
      if (fitted.has(other) || isGiven(other.probe) || alike(ours, other) < goodName) return false;
      const name = alikeByOthers(ours, other);
      const next = Math.max(...own.map((one) => alikeByOthers(ours, one)));
      if (name < goodName || name < next + 3 * margin) return false;
      return ways.between(ours, other).some(({ reshaped }) => reshaped !== true);
    });
  return new Set([...ofOurs].filter((entry) => isContested(...entry)).map(([ours]) => ours));
}
