import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { placesOf } from '../../numbers.ts';
import { combinationsOf, isMean, named, type RankRows, rowFits } from '../../ranks/combinations.ts';
import { roundingOf } from '../../ranks/sums.ts';
import type { Evidence } from '../../suspect.ts';

const means: Hypothesis = {
  name: 'mean over ranks',
  about:
    'a mean of gradients over ranks: not divided, divided twice, not reduced, a rank left out or counted twice, added in another order',
  fits({ ours }, { name }, { ranks }): Fit[] {
    const own = ranks?.(name);
    if (own === undefined) return [];
    const rows: RankRows = { own, count: own[0].length, ours };
    if (ours.length !== own.length * rows.count) return [];
    const all = own.map((_, rank) => rank);
    const found = combinationsOf(own.length).flatMap(({ key, says, shares }): Fit[] => {
      const met = all.filter((rank) => rowFits(rows, rank, shares(rank)));
      // The others are right, or this is not what is wrong.
      if (met.length === 0 || all.some((rank) => !met.includes(rank) && !isMean(rows, rank))) {
        return [];
      }
      const where = met.length === all.length ? '' : ` on ${named(met)}`;
      return [
        { key: `ranks ${key}`, says: `${says}${where}`, left: 0, freedom: 0, recomputed: true },
      ];
    });
    if (found.length > 0) return found;
    if (!all.every((rank) => isMean(rows, rank))) return [];
    const says = `right but for the last places: ${roundingOf(rows)}`;
    return [{ key: 'ranks rounding', says, left: 0, freedom: 0, recomputed: true }];
  },
};

const ranksIn = (name: string): RegExpExecArray | null =>
  /^(\d+ ranks)(?:, rank \d+)?\/(.*\.running_(?:mean|var))$/.exec(name);

const rms = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

/** Ours less the truth, where that is known. */
function differenceOf(name: string, { ours, held }: Evidence): Float64Array | undefined {
  const [found, known] = [ours(name), held(name)];
  const places = found && known && placesOf({ ...known, ours: found, limit: 0 });
  return places?.ours.map((x, i) => x - places.truth[i]);
}

/** What the same difference of two ranks may differ by, of its size: they are differences of float32. */
const alike = 1e-3;

const buffers: Hypothesis = {
  name: 'buffers among ranks',
  about: "running statistics that all ranks began a step with, and that were not rank 0's",
  fits(numbers, { name }, evidence): Fit[] {
    const [, prefix, buffer] = ranksIn(name) ?? [];
    if (prefix === undefined) return [];
    const ranks = Number.parseInt(prefix, 10);
    const offs = Array.from({ length: ranks }, (_, rank) => {
      const of = rank === 0 ? `${prefix}/${buffer}` : `${prefix}, rank ${rank}/${buffer}`;
      return differenceOf(of, evidence);
    });
    const first = offs[0];
    const size = first && rms(first);
    // Each rank's own batch is a tenth of its statistics: right, the rest is off by the same on all.
    if (first === undefined || !(size! > numbers.limit * numbers.unit)) return [];
    const apart = offs.map((off) => off && rms(off.map((x, i) => x - first[i])));
    if (apart.some((x) => x === undefined || x > alike * size!)) return [];
    const says =
      "off by the same on every rank: the last step began with buffers that were not rank 0's, averaged over ranks or another rank's";
    return [{ key: 'ranks buffers', says, left: 0, freedom: 2 }];
  },
};

/** What several ranks do together. */
export const rankHypotheses: readonly Hypothesis[] = [means, buffers];
