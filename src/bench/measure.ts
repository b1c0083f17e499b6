import { setTimeout } from 'node:timers/promises';
import { UserError } from '../errors.ts';

/** Somebody who makes training steps. */
export interface Contestant {
  readonly name: string;
  /** Milliseconds of one step, from `steps` of them made in a row and waited for at the end. */
  block(batch: number, steps: number): Promise<number>;
}

export interface Turns {
  /** Measured blocks. */
  readonly runs: number;
  /** Blocks before those. */
  readonly warmup: number;
  /** Steps a block. */
  readonly steps: number;
}

/** One contestant's blocks at one batch size, in milliseconds a step. */
export interface Timing {
  readonly name: string;
  readonly batch: number;
  readonly times: readonly number[];
  /** Why it made no more steps, if it came to that. */
  readonly failed?: string;
}

/** Milliseconds between turns: a thread pool spins for a while after its work, on the others' cores. */
const rest = 300;

/**
 * Every contestant's block in turn, so that a slow moment of the machine hits all. One that fails with an
 * error for people (out of memory, no compiler) is left out from there on; the others go on.
 */
export async function takeTurns(
  contestants: readonly Contestant[],
  batch: number,
  { runs, warmup, steps }: Turns,
): Promise<Timing[]> {
  const times = contestants.map((): number[] => []);
  const failed = new Map<Contestant, string>();
  for (let run = -warmup; run < runs; run++) {
    for (const [i, contestant] of contestants.entries()) {
      if (failed.has(contestant)) continue;
      await setTimeout(rest);
      try {
        const time = await contestant.block(batch, steps);
        if (run >= 0) times[i].push(time);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failed.set(contestant, error.message);
      }
    }
  }
  return contestants.map((contestant, i) => {
    const why = failed.get(contestant);
    const { name } = contestant;
    return { name, batch, times: times[i], ...(why === undefined ? {} : { failed: why }) };
  });
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** How many times as fast as another, turn by turn: median, least and most. */
export interface Speed {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Compares pair by pair: the two blocks of one turn saw the same moments of the machine. */
export function speedAgainst(ours: Timing, theirs: Timing): Speed {
  const ratios = ours.times.map((time, i) => theirs.times[i] / time);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
