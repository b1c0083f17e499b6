import { median, type Speed, speedAgainst, type Timing } from '../measure.ts';
import type { Exchanged } from './counted.ts';

/** One side's blocks among so many ranks. */
export interface SideTimings {
  readonly who: string;
  readonly ranks: number;
  readonly among: Timing;
  readonly apart: Timing;
  readonly mean: Timing;
  readonly exchanged?: Exchanged;
}

/** How many times as long as the step of ranks apart the step among them takes, turn by turn. */
export const overhead = ({ among, apart }: SideTimings): Speed => speedAgainst(apart, among);

/** Our overhead as a multiple of the peer's, turn by turn. */
export function againstPeer(ours: SideTimings, peer: SideTimings): Speed {
  const ratios = (side: SideTimings): number[] =>
    side.among.times.map((time, turn) => time / side.apart.times[turn]);
  const [own, theirs] = [ratios(ours), ratios(peer)];
  return speedAgainst({ name: '', batch: 0, times: theirs }, { name: '', batch: 0, times: own });
}

const shown = ({ median, least, most }: Speed): string =>
  `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;

const head = [
  'ranks',
  'who',
  'ms a step',
  'apart',
  'overhead',
  'mean alone',
  'in MPI',
  'MB',
  '÷ peer',
];

/** Cells of the table: two rows for each number of ranks, where there is a peer. */
export function overheadRows(sides: readonly SideTimings[]): string[][] {
  const rows = sides.map((side, i): string[] => {
    const { who, ranks, exchanged } = side;
    const failed = [side.among, side.apart, side.mean].find(({ failed }) => failed !== undefined);
    if (failed !== undefined) return [String(ranks), who, 'failed', '', '', '', '', '', ''];
    const ms = ({ times }: Timing): string => median(times).toFixed(1);
    const peer = sides.find((other, k) => k > i && other.ranks === ranks);
    return [
      String(ranks),
      who,
      ms(side.among),
      ms(side.apart),
      shown(overhead(side)),
      ms(side.mean),
      exchanged === undefined ? '' : exchanged.ms.toFixed(1),
      exchanged === undefined ? '' : (exchanged.bytes / 1e6).toFixed(1),
      peer === undefined || peer.among.failed !== undefined || peer.apart.failed !== undefined
        ? ''
        : shown(againstPeer(side, peer)),
    ];
  });
  return [head, ...rows];
}
