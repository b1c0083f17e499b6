import { initialName, isGiven } from '../../align/reference/probe.ts';
import type { ProbeReference } from '../../align/reference/probeReference.ts';
import { elementType, type TensorMap } from '../../tensor/tensor.ts';
import { contestedBy } from './contested.ts';
import { byLikeness, byNameOnly, byValue, type Evidence, floats } from './evidence.ts';
import { bestOf, chosenOf, type Fit, fitsOf, isEqual } from './fits.ts';
import { type Known, likeliestPairs, pairsByName } from './likeliest.ts';
import { likelyOrders } from './likelyOrders.ts';
import { placing } from './placing.ts';
import type { Proposal, Proposals } from './proposal.ts';
import { type Similarity, similarities } from './similarity.ts';
import { type Ours, openWays, oursOf, type Theirs, theirsOf } from './values.ts';
import type { Way } from './ways.ts';

interface Found extends Evidence {
  readonly ours: Ours;
  readonly theirs: Theirs;
  readonly way?: Way;
  readonly error: number;
}

function groupedBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const found = new Map<K, T[]>();
  for (const item of items) {
    const group = found.get(keyOf(item));
    if (group === undefined) found.set(keyOf(item), [item]);
    else group.push(item);
  }
  return found;
}

const isInitial = ({ probe: { name } }: Theirs): boolean => initialName(name) === name;

/** Fits of which neither side has another. */
function onlyOnes(fits: readonly Fit[]): Fit[] {
  const ofOurs = groupedBy(fits, (fit) => fit.ours);
  const ofTheirs = groupedBy(fits, (fit) => fit.theirs);
  return fits.filter(
    ({ ours, theirs }) => ofOurs.get(ours)!.length === 1 && ofTheirs.get(theirs)!.length === 1,
  );
}

/** So many parts of what is known are left out in turn, to ask the rest about each. */
const parts = 5;

/** What fits surely teaches how a port calls its tensors, in which order it records them, and how their axes lie. */
function learnedFrom(fits: readonly Fit[], ours: readonly Ours[], theirs: readonly Theirs[]) {
  const sure = onlyOnes(bestOf(fits.filter((fit) => !isInitial(fit.theirs))));
  const pairs = sure.map((fit) => [fit.ours.index, fit.theirs.index] as const);
  const taught = similarities(
    ours.map(({ name }) => name),
    theirs.map(({ probe }) => probe.name),
  );
  const alike = taught(pairs);
  const place = placing(pairs, ours.length, theirs.length);
  const partOf = new Map(sure.map((fit, k) => [fit.ours, k % parts]));
  const without = new Map<number, Similarity>();
  const alikeWithout = (part: number): Similarity => {
    const found = without.get(part) ?? taught(pairs.filter((_, k) => k % parts !== part));
    without.set(part, found);
    return found;
  };
  return {
    alike: (a: Ours, b: Theirs) => alike(a.index, b.index),
    alikeByOthers: (a: Ours, b: Theirs) => {
      const part = partOf.get(a);
      return (part === undefined ? alike : alikeWithout(part))(a.index, b.index);
    },
    place: (a: Ours, b: Theirs) => place(a.index, b.index),
    orders: likelyOrders(sure),
  };
}

/** Which of several tensors with a probe's values is meant: by name; then by type and place. */
const preference =
  ({ alike, place }: Known) =>
  (a: Ours, b: Theirs): number =>
    alike(a, b) +
    (a.name === b.probe.name ? 0.1 : 0) +
    (floats(elementType(a.tensor)) === floats(b.probe.dtype) ? 0.1 : 0) +
    (isGiven(b.probe) ? 0 : 0.02) +
    0.02 * place(a, b);

/**
 * Which tensor of a recording is which probe of a reference, each used once: by values, in any order of axes; where
 * these leave it open or a port computes other ones, by names, shapes and the order in which things are computed.
 */
export function proposeNames(recording: TensorMap, reference: ProbeReference): Proposals {
  const ours = [...recording].map(([name, tensor], i) => oursOf(name, tensor, i));
  const theirs = reference.probes.map((probe, i) => theirsOf(reference, probe, i));
  const ways = openWays();
  const oursBySize = groupedBy(ours, ({ tensor }) => tensor.data.length);
  const theirsBySize = groupedBy(theirs, ({ size }) => size);
  const fits = [...oursBySize].flatMap(([size, own]) =>
    fitsOf(own, theirsBySize.get(size) ?? [], ways),
  );
  const known = { ways, ...learnedFrom(fits, ours, theirs) };
  const { alike, orders } = known;

  const fitting = new Map(fits.filter(isEqual).map((fit) => [fit.ours, fit.theirs]));
  const found = new Map<Ours, Found>();
  const taken = new Set<Theirs>();
  const add = (one: Found): void => {
    found.set(one.ours, one);
    taken.add(one.theirs);
  };
  const isFree = (fit: Fit): boolean => !found.has(fit.ours) && !taken.has(fit.theirs);
  const addFitting = (allowed: readonly Fit[]): void => {
    const ofOurs = groupedBy(allowed, (fit) => fit.ours);
    const ofTheirs = groupedBy(allowed, (fit) => fit.theirs);
    for (const fit of chosenOf(allowed, preference(known))) {
      const way = orders.choose(fit.ways, fit.theirs);
      const ends = [...ofOurs.get(fit.ours)!, ...ofTheirs.get(fit.theirs)!];
      const rivals = ends.filter((other) => other !== fit);
      const fitted = fitting.get(fit.ours);
      add({ ...fit, way, ...byValue(fit, { rivals, fitted, way }, alike) });
    }
  };

  // What a port began with is near what it ends with: it comes after what the port computed.
  const computed = fits.filter(
    (fit) => !isInitial(fit.theirs) || fit.ours.name === fit.theirs.probe.name,
  );
  const contested = contestedBy(computed, theirsBySize, ways, alike, known.alikeByOthers);
  const trusted = bestOf(computed).filter((fit) => !contested.has(fit.ours));
  addFitting(trusted.filter(isEqual));
  addFitting(trusted.filter(isFree));
  const free = new Set(theirs.filter((one) => !taken.has(one)).map((one) => one.probe.name));
  const afterwards = ({ probe: { name } }: Theirs): string => name.slice(initialName('').length);
  addFitting(
    bestOf(fits.filter((fit) => isEqual(fit) && isInitial(fit.theirs))).filter(
      (fit) => isFree(fit) && !free.has(afterwards(fit.theirs)),
    ),
  );

  const wanted = (one: Theirs): boolean => !taken.has(one) && !isGiven(one.probe);
  const unused = (own: Ours): boolean => !found.has(own);
  for (const [size, own] of oursBySize) {
    const others = (theirsBySize.get(size) ?? []).filter(wanted);
    for (const pair of likeliestPairs(own.filter(unused), others, contested, known)) {
      const fitted = fitting.get(pair.ours);
      add({ ...pair, ...byLikeness(pair.ours, pair.theirs, { ...pair, fitted }) });
    }
  }
  for (const [a, b] of pairsByName(ours.filter(unused), theirs.filter(wanted), alike)) {
    add({ ours: a, theirs: b, error: Number.NaN, ...byNameOnly(a, b) });
  }
  return {
    proposals: [...found.values()].sort((a, b) => a.theirs.index - b.theirs.index).map(proposalOf),
    unnamed: theirs.filter(wanted).map(({ probe }) => probe.name),
    unused: ours.filter(unused).map(({ name }) => name),
  };
}

const proposalOf = ({ ours, theirs, way, how, because, error }: Found): Proposal => ({
  ours: ours.name,
  probe: theirs.probe.name,
  ...(way?.layout !== undefined && { layout: way.layout }),
  how,
  because,
  equal: error <= theirs.limit,
  error,
});
