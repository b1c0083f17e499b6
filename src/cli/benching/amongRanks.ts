import { createInterface } from 'node:readline';
import { openOnDevice } from '../../backends/choose.ts';
import { answerOrders } from '../../bench/amongRanks/answerOrders.ts';
import { ourRanks, type Ranks, torchRanks } from '../../bench/amongRanks/launchRanks.ts';
import { overheadRows, type SideTimings } from '../../bench/amongRanks/overhead.ts';
import type { StepKind } from '../../bench/amongRanks/rankSteps.ts';
import { type Timing, takeTurns } from '../../bench/measure.ts';
import { failures, markdownTable } from '../../bench/table.ts';
import { findPython } from '../../bench/torchPeer.ts';
import { openMpi } from '../../distributed/mpi/openMpi.ts';
import type { Reduction } from '../../distributed/reduce.ts';
import { type VggOptions, vgg } from '../../nn/models/vgg.ts';
import { counted } from '../../words.ts';
import type { CliContext } from '../context.ts';

export interface RankBench {
  readonly network: VggOptions;
  /** Of one rank. */
  readonly batchSize: readonly number[];
  readonly ranks: readonly number[];
  /** Of all ranks of a host. */
  readonly threads: number;
  readonly reduce: Reduction;
  readonly backend: string;
  readonly device: string;
  readonly mpirun: string;
  readonly mpiLibrary?: string;
  readonly peer: boolean;
  readonly python?: string;
  readonly runs: number;
  readonly warmup: number;
  readonly steps: number;
}

/** What one rank does of `bench --distributed`: its standard input asks for steps, its output says their times. */
export async function benchAsRank(bench: RankBench): Promise<void> {
  const comm = await openMpi(bench.mpiLibrary);
  const { threads, device, network, reduce } = bench;
  const backend = await openOnDevice(bench.backend, { threads, device });
  // Rank 0's alone: MPICH never closes that of the others, who would wait for it.
  const lines = comm.rank === 0 ? createInterface({ input: process.stdin }) : undefined;
  await answerOrders(
    { comm, backend, model: vgg(network), reduction: reduce },
    lines?.[Symbol.asyncIterator](),
    (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`),
  );
  await backend.close?.();
  await comm.close();
}

const kinds: readonly StepKind[] = ['among', 'apart', 'mean'];

/** One side's timings out of those of all contestants. */
function sideOf(side: Ranks, ranks: number, timings: readonly Timing[]): SideTimings {
  const of = (kind: StepKind): Timing =>
    timings.find(({ name }) => name === side.contestant(kind).name)!;
  const exchanged = side.exchanged();
  return {
    who: side.name,
    ranks,
    among: of('among'),
    apart: of('apart'),
    mean: of('mean'),
    ...(exchanged && { exchanged }),
  };
}

/**
 * Times a step among ranks, the same step of ranks apart and the mean of gradients alone, ours and PyTorch's in turn.
 * `asRank` are the words that start one of our ranks on so many threads. Gives all sides at all batch sizes.
 */
export async function benchAmongRanks(
  bench: RankBench,
  asRank: (threads: number) => readonly string[],
  { print }: CliContext,
): Promise<{ readonly batch: number; readonly sides: readonly SideTimings[] }[]> {
  const { mpirun, network, runs, warmup, steps } = bench;
  const python = bench.peer ? findPython(bench.python) : undefined;
  const tables = bench.batchSize.map((batch) => ({ batch, sides: [] as SideTimings[] }));
  for (const ranks of bench.ranks) {
    const threads = Math.max(1, Math.floor(bench.threads / ranks));
    const ours = ourRanks(mpirun, ranks, asRank(threads));
    const peer = python === undefined ? [] : [await torchRanks(python, ranks, threads, network)];
    const sides = [ours, ...peer.map((one) => one.ranks)];
    const who = ['ours', ...peer.map(({ version }) => `PyTorch ${version}`)].join(' and ');
    print(`${counted(ranks, 'rank')}, ${counted(threads, 'thread')} each: ${who}`);
    const contestants = sides.flatMap((side) => kinds.map((kind) => side.contestant(kind)));
    for (const { batch, sides: found } of tables) {
      const timings = await takeTurns(contestants, batch, { runs, warmup, steps });
      found.push(...sides.map((side) => sideOf(side, ranks, timings)));
      for (const line of failures(timings)) print(`failed: ${line}`);
    }
    for (const side of sides) side.close();
  }
  for (const { batch, sides } of tables) {
    print(
      `\n${counted(batch, 'image')} a rank, median of ${counted(runs, 'turn')} after ${warmup}:\n`,
    );
    print(markdownTable(overheadRows(sides)));
  }
  return tables;
}
