/** What a mean over ranks may have been made of in its place. */

/** What each rank got for the mean, one row behind the other, and what each rank gave. */
export interface RankRows {
  readonly own: readonly Float64Array[];
  readonly ours: Float64Array;
  /** Numbers of a row. */
  readonly count: number;
}

/** How much of each rank's gradient is in what a rank got. */
type Shares = readonly number[];

export interface Combination {
  readonly key: string;
  readonly says: string;
  readonly shares: (rank: number) => Shares;
}

/** Each product and each sum in float32 is right to half a unit in its last place: so many of these, of all terms together. */
const roundings = 4 * 2 ** -24;

/** Fewer numbers may meet a combination by chance. */
const enough = 4;

/** Ranks by their numbers: `rank 1`, `ranks 0 and 2`. */
export const named = (ranks: readonly number[]): string =>
  `${ranks.length > 1 ? 'ranks' : 'rank'} ${ranks.join(', ').replace(/, (\d+)$/, ' and $1')}`;

const verb = (ranks: readonly number[]): string => (ranks.length > 1 ? 'are' : 'is');

/** Every choice of some of the ranks, but for none and all: the larger ones first, which leave out less. */
const someOf = (ranks: number): number[][] =>
  Array.from({ length: 2 ** ranks - 2 }, (_, k) =>
    Array.from({ length: ranks }, (_, rank) => rank).filter((rank) => ((k + 1) >> rank) & 1),
  ).sort((a, b) => b.length - a.length);

/** All that is looked for among so many ranks, what people do most first. */
export function combinationsOf(ranks: number): Combination[] {
  const all = Array.from({ length: ranks }, (_, rank) => rank);
  const every = (share: (rank: number) => number) => (): Shares => all.map(share);
  const one = (of: number, share: number): Shares => all.map((k) => (k === of ? share : 0));
  return [
    {
      key: 'sum',
      says: `${ranks} × the reference's: summed over ${ranks} ranks, not averaged`,
      shares: every(() => 1),
    },
    {
      key: 'divided twice',
      says: `${+(1 / ranks).toPrecision(3)} × the reference's: divided by the ${ranks} ranks twice`,
      shares: every(() => ranks ** -2),
    },
    { key: 'own', says: "each rank's own gradient: not reduced", shares: (rank) => one(rank, 1) },
    {
      key: 'own share',
      says: `each rank's own gradient divided by ${ranks}: not added up`,
      shares: (rank) => one(rank, 1 / ranks),
    },
    ...someOf(ranks).flatMap((some): Combination[] => {
      const others = all.filter((rank) => !some.includes(rank));
      const within = (share: number) => every((rank) => (some.includes(rank) ? share : 0));
      return [
        {
          key: `mean of ${some}`,
          says:
            some.length === 1
              ? `${named(some)}'s gradient alone: the mean leaves out ${named(others)}`
              : `the mean of ${named(some)} alone: ${named(others)} ${verb(others)} left out`,
          shares: within(1 / some.length),
        },
        {
          key: `without ${others}`,
          says: `the gradients of ${named(others)} are missing in the sum, which is divided by ${ranks} all the same`,
          shares: within(1 / ranks),
        },
      ];
    }),
    ...all.flatMap((twice): Combination[] => [
      {
        key: `twice ${twice}`,
        says: `the gradients of rank ${twice} are counted twice`,
        shares: every((rank) => (rank === twice ? 2 : 1) / ranks),
      },
      {
        key: `twice ${twice} of more`,
        says: `the gradients of rank ${twice} are counted twice, as if there were ${ranks + 1} ranks`,
        shares: every((rank) => (rank === twice ? 2 : 1) / (ranks + 1)),
      },
    ]),
  ];
}

/** Whether a rank got these shares, but for rounding. */
export function rowFits({ own, ours, count }: RankRows, rank: number, shares: Shares): boolean {
  let [off, size] = [0, 0];
  for (let i = 0; i < count; i++) {
    let [sum, terms] = [0, 0];
    shares.forEach((share, k) => {
      sum += share * own[k][i];
      terms += Math.abs(share * own[k][i]);
    });
    off += (ours[rank * count + i] - sum) ** 2;
    size += terms ** 2;
  }
  return count >= enough && size > 0 && Math.sqrt(off / size) <= roundings;
}

/** Whether a rank got the mean of all, but for rounding. */
export const isMean = (rows: RankRows, rank: number): boolean =>
  rowFits(
    rows,
    rank,
    rows.own.map(() => 1 / rows.own.length),
  );
