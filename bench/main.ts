import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Command } from 'commander';
import { openBackend, openInProcess } from '../src/backends/choose.ts';
import { naturalNumber, positiveInteger } from '../src/cli/flags.ts';
import { UsageError, UserError } from '../src/errors.ts';
import { openOurStep } from './ourStep.ts';
import { findPython, openTorchPeer, type TorchPeer } from './torchPeer.ts';

interface Options {
  readonly peer?: 'torch';
  readonly python?: string;
  readonly batchSize: readonly number[];
  readonly runs: number;
  readonly warmup: number;
  readonly threads: number;
  readonly backend: string;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell) => String(cell).padStart(16)).join('');

/** Milliseconds between turns: a thread pool spins for a while after its work, on the other's cores. */
const rest = 300;

/** One batch size: ours and the peer's step in turn, so that a slow moment of the machine hits both. */
async function measure(
  options: Options,
  batch: number,
  peer: TorchPeer | undefined,
): Promise<string> {
  const backend = await openBackend(options.backend, { threads: options.threads });
  const ours = await openOurStep(backend, batch);
  const times: { ours: number; theirs: number }[] = [];
  for (let run = -options.warmup; run < options.runs; run++) {
    await setTimeout(rest);
    const own = await ours.step();
    await setTimeout(rest);
    const pair = { ours: own, theirs: (await peer?.step(batch)) ?? Number.NaN };
    if (run >= 0) times.push(pair);
  }
  await ours.close();
  await backend.close?.();
  const memory = Math.round(process.resourceUsage().maxRSS / 2 ** 10);
  const mine = median(times.map((t) => t.ours));
  const cells: (string | number)[] = [
    batch,
    mine.toFixed(0),
    ((1000 * batch) / mine).toFixed(1),
    memory,
  ];
  if (peer !== undefined) {
    const ratio = times.map((t) => t.theirs / t.ours).sort((a, b) => a - b);
    cells.push(median(times.map((t) => t.theirs)).toFixed(0), median(ratio).toFixed(2));
    cells.push(`${ratio[0].toFixed(2)}–${ratio[ratio.length - 1].toFixed(2)}`);
  }
  return row(cells);
}

async function bench(options: Options): Promise<void> {
  const peer =
    options.peer === undefined
      ? undefined
      : await openTorchPeer(findPython(options.python), options.threads);
  const { description } = await openInProcess(options.backend);
  const against = peer === undefined ? '' : `, in turn with PyTorch ${peer.version}`;
  console.log(`VGG-16 training step, float32: ${description}${against}`);
  console.log(
    `${options.threads} threads, median of ${options.runs} after ${options.warmup} warm-up\n`,
  );
  const head = ['batch', 'ours ms', 'images/s', 'our peak MiB'];
  console.log(row(peer === undefined ? head : [...head, 'PyTorch ms', 'our speed ×', 'range']));
  for (const batch of options.batchSize) console.log(await measure(options, batch, peer));
  peer?.close();
}

const command = new Command('bench')
  .description('time a training step, side by side with PyTorch where asked')
  .option('--peer <name>', 'torch', (name) => {
    if (name !== 'torch') {
      throw new UsageError(`there is no peer "${name}"`, { fix: 'give --peer torch' });
    }
    return name;
  })
  .option('--python <path>', 'the Python that has PyTorch')
  .option(
    '--batch-size <n...>',
    'one or several',
    (text: string, known: readonly number[] | undefined) => [
      ...(known ?? []),
      positiveInteger(text),
    ],
  )
  .option('--runs <n>', 'measured steps', positiveInteger, 7)
  .option('--warmup <n>', 'steps before', naturalNumber, 2)
  .option('--threads <n>', 'for both sides', positiveInteger, availableParallelism())
  .option('--backend <name>', 'ort or oracle', 'ort');

try {
  await command.parseAsync();
  const { batchSize = [128], ...options } = command.opts<
    Partial<Options> & Omit<Options, 'batchSize'>
  >();
  await bench({ ...options, batchSize });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
