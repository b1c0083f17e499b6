import { constants } from 'node:os';
import { type StreamPosition, streamPosition } from '../../data/trainingStream.ts';
import { Interrupted } from '../../errors.ts';
import { rankPositionFrom, rankPositionTo } from '../checkpoint/rankPositions.ts';
import { type RankSigns, type RankStepping, rankStepper, shareState } from './rankStep.ts';
import type { Stepper } from './stepper.ts';
import type { MadeStep } from './stepWindow.ts';

/*
 * Rank 0 leads: it alone knows when to save, to evaluate and to end, and says before each step that all have to make
 * one. The others wait for its word. So no two ranks can be of different minds.
 */

/** What rank 0 says: three numbers, the first of which is one of these. */
const orders = { end: 0, step: 1, positions: 2 } as const;

/** The number of the signal by which this process was asked to stop; 0 where it was not. */
const askedToStop = (signal: AbortSignal | undefined): number =>
  signal?.aborted !== true
    ? 0
    : constants.signals[signal.reason instanceof Interrupted ? signal.reason.signal : 'SIGTERM'];

/** The other ranks, as rank 0 sees them. */
export interface Team {
  readonly stepper: Stepper;
  /** Where the ranks from 1 on are on their generators. */
  positions(): Promise<readonly StreamPosition[]>;
  /** Lets them go. */
  end(): Promise<void>;
}

export interface Member extends RankStepping {
  /** Aborted when this process is asked to stop. */
  readonly signal?: AbortSignal;
}

export interface Leader extends Member {
  /** Told the number of the signal by which any rank was asked to stop, and which. */
  readonly onStop?: (signal: number, rank: number) => void;
}

/** Gives all ranks the state of rank 0, and lets that one lead them: what rank 0 does while the others `assist`. */
export async function lead(leader: Leader): Promise<Team> {
  const { comm, stream } = leader;
  const ranks = await rankStepper(leader);
  await shareState(leader);
  let rested = true;
  let made: (MadeStep & { readonly signs: RankSigns })[] = [];
  const order = async (...words: readonly [number, number, number]): Promise<void> => {
    // Until now rank 0 may have written or evaluated for minutes: see `assist`.
    if (rested) await comm.barrier();
    await comm.broadcast(Float64Array.from(words));
  };
  return {
    stepper: {
      window: {
        get isEmpty() {
          return made.length === 0;
        },
        isDue: true,
        async read() {
          const steps = made;
          made = [];
          return steps.map(({ signs: { loss, correct }, ...step }) => ({
            ...step,
            // Had its numbers not been finite, the step would have thrown.
            signs: { loss, correct, watched: 0 },
          }));
        },
      },
      async make(step, lr) {
        await order(orders.step, step, lr);
        const { batch, signs } = await ranks.make(step, lr, askedToStop(leader.signal));
        rested = batch.last;
        made.push({ step, epoch: batch.epoch, lr, count: signs.count, signs });
        if (signs.stop > 0) leader.onStop?.(signs.stop, signs.stopOf);
        return batch;
      },
    },
    async positions() {
      await order(orders.positions, 0, 0);
      rested = true;
      const all = await comm.allgather(rankPositionTo(streamPosition(stream)));
      return all.slice(1).map((bytes) => rankPositionFrom(bytes, stream));
    },
    end: () => order(orders.end, 0, 0),
  };
}

/** What a rank from 1 on does: takes the state of rank 0, and makes the steps that it says until it ends the run. */
export async function assist(member: Member): Promise<void> {
  const { comm, stream } = member;
  const ranks = await rankStepper(member);
  await shareState(member);
  let rested = true;
  while (true) {
    // Rank 0 may be long by right: nobody is warned.
    if (rested) await comm.barrier();
    const words = new Float64Array(3);
    await comm.broadcast(words);
    const [order, step, lr] = words;
    if (order === orders.end) return;
    if (order === orders.positions) {
      await comm.allgather(rankPositionTo(streamPosition(stream)));
      rested = true;
    } else {
      const { batch } = await ranks.make(step, lr, askedToStop(member.signal));
      rested = batch.last;
    }
  }
}
