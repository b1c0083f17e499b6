import { assign, impossible } from './assign.ts';
import { errorOf, mayFit, type Ours, type Theirs, type Ways } from './values.ts';
import type { Way } from './ways.ts';

/** A tensor of ours whose values are those of a probe. */
export interface Fit {
  readonly ours: Ours;
  readonly theirs: Theirs;
  /** Relative, on the elements that are held. */
  readonly error: number;
  /** The orders of axes by which it is so small. */
  readonly ways: readonly Way[];
}

/** Up to here two tensors may be the same, computed with less care: float16, TF32, a small mistake. */
const near = 1e-3;

/** An error so many times the least one is no better explanation. */
const spread = 4;

function fitOf(ours: Ours, theirs: Theirs, ways: Ways): Fit | undefined {
  const bound = Math.max(near, theirs.limit);
  const measured = ways
    .between(ours, theirs)
    .map((way) => ({ way, error: errorOf(ours, theirs, ways.offsets(way, theirs), bound) }));
  const error = Math.min(...measured.map((m) => m.error));
  if (!(error <= bound)) return undefined;
  const most = Math.max(error * spread, theirs.limit);
  const equal = measured.filter((m) => m.error <= most).map(({ way }) => way);
  return { ours, theirs, error, ways: equal };
}

/** All fits between tensors and probes of one size. Moments, which do not ask for the order of axes, come first. */
export function fitsOf(ours: readonly Ours[], theirs: readonly Theirs[], ways: Ways): Fit[] {
  return ours.flatMap((own) =>
    theirs.flatMap((other) => {
      if (!mayFit(own, other, Math.max(near, other.limit))) return [];
      const fit = fitOf(own, other, ways);
      return fit === undefined ? [] : [fit];
    }),
  );
}

/** Whether the judge would take ours for the probe. */
export const isEqual = ({ error, theirs }: Fit): boolean => error <= theirs.limit;

/** Of each of our tensors the fits that explain it about as well as its best one. */
export function bestOf(fits: readonly Fit[]): Fit[] {
  const least = new Map<Ours, number>();
  for (const { ours, error } of fits) {
    least.set(ours, Math.min(error, least.get(ours) ?? Infinity));
  }
  return fits.filter(
    (fit) => isEqual(fit) || fit.error <= spread * (least.get(fit.ours) ?? Infinity),
  );
}

/** Fits that share a tensor of ours or a probe, together. */
function componentsOf(fits: readonly Fit[]): Fit[][] {
  const above = new Map<Ours | Theirs, Ours | Theirs>();
  const root = (node: Ours | Theirs): Ours | Theirs => {
    let at = node;
    for (let up = above.get(at); up !== undefined && up !== at; up = above.get(at)) {
      above.set(at, above.get(up) ?? up);
      at = up;
    }
    return at;
  };
  for (const { ours, theirs } of fits) {
    const [a, b] = [root(ours), root(theirs)];
    if (a !== b) above.set(a, b);
  }
  const found = new Map<Ours | Theirs, Fit[]>();
  for (const fit of fits) {
    const of = found.get(root(fit.ours));
    if (of === undefined) found.set(root(fit.ours), [fit]);
    else of.push(fit);
  }
  return [...found.values()];
}

/** Each tensor and each probe once: of fits that exclude each other those whose scores add up to most. */
export function chosenOf(
  fits: readonly Fit[],
  score: (ours: Ours, theirs: Theirs) => number,
): Fit[] {
  return componentsOf(fits).flatMap((component) => {
    if (component.length === 1) return component;
    const ours = [...new Set(component.map((fit) => fit.ours))];
    const theirs = [...new Set(component.map((fit) => fit.theirs))];
    const between = new Map<Ours, Map<Theirs, Fit>>();
    for (const fit of component) {
      const row = between.get(fit.ours) ?? new Map<Theirs, Fit>();
      between.set(fit.ours, row.set(fit.theirs, fit));
    }
    const fitAt = (i: number, j: number) => between.get(ours[i])?.get(theirs[j]);
    return assign(ours.length, theirs.length, (i, j) =>
      fitAt(i, j) === undefined ? impossible : score(ours[i], theirs[j]),
    ).map(([i, j]) => fitAt(i, j)!);
  });
}
