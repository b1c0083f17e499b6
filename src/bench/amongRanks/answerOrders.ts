import { broadcastBytes } from '../../distributed/messages.ts';
import { counted } from './counted.ts';
import { type RankSteps, rankSteps, type StepKind } from './rankSteps.ts';

/** What rank 0 is asked for. */
export interface RankOrder {
  readonly kind: StepKind;
  /** Images of one rank. */
  readonly batch: number;
  readonly steps: number;
}

/** The slowest rank's milliseconds a step, and what rank 0 exchanged in one. */
export interface RankAnswer {
  readonly ms: number;
  readonly exchangeMs: number;
  readonly exchangeBytes: number;
}

/**
 * What a rank does until there are no more lines: makes the steps that each asks for, together with the others. Rank 0
 * alone is given them, and tells what they took.
 */
export async function answerOrders(
  ranks: RankSteps,
  lines: AsyncIterator<string> | undefined,
  tell: (answer: RankAnswer) => void,
): Promise<void> {
  const { comm, taken } = counted(ranks.comm);
  const stepsOf = rankSteps({ ...ranks, comm });
  const first = comm.rank === 0;
  while (true) {
    const next = await lines?.next();
    // The others leave the cores to whoever is asked meanwhile.
    await comm.barrier();
    const said = first ? new TextEncoder().encode(next?.done ? '' : next?.value) : undefined;
    const text = new TextDecoder().decode(await broadcastBytes(comm, said));
    if (text === '') return;
    const { kind, batch, steps } = JSON.parse(text) as RankOrder;
    const step = await stepsOf(kind, batch);
    await comm.allgather(Uint8Array.of(1));
    taken();
    const began = performance.now();
    for (let i = 0; i < steps; i++) await step();
    const own = (performance.now() - began) / steps;
    const { ms, bytes } = taken();
    const all = await comm.allgather(Float64Array.of(own));
    if (!first) continue;
    tell({
      ms: Math.max(...all.map(([took]) => took)),
      exchangeMs: ms / steps,
      exchangeBytes: bytes / steps,
    });
  }
}
