import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Command } from 'commander';
import { openOnDevice } from '../src/backends/choose.ts';
import { commaList, naturalNumber, positiveInteger } from '../src/cli/flags.ts';
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
  readonly backend: readonly string[];
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

/** Somebody who does the same training step. */
interface Contender {
  readonly name: string;
  /** Milliseconds of one step. */
  step(): Promise<number>;
  close(): Promise<void>;
}

async function ourContender(name: string, batch: number, threads: number): Promise<Contender> {
  const backend = await openOnDevice(name, { threads });
  const ours = await openOurStep(backend, batch);
  return {
    name,
    step: ours.step,
    async close() {
      await ours.close();
      await backend.close?.();
    },
  };
}

/** Everybody's times, in turn, so that a slow moment of the machine hits all. */
async function timesOf(contenders: readonly Contender[], { runs, warmup }: Options) {
  const times = contenders.map((): number[] => []);
  for (let run = -warmup; run < runs; run++) {
    for (const [i, contender] of contenders.entries()) {
      await setTimeout(rest);
      const time = await contender.step();
      if (run >= 0) times[i].push(time);
    }
  }
  return times;
}

/** A row a contender; with a peer, how many times its speed each has, turn by turn. */
async function measure(
  options: Options,
  batch: number,
  peer: TorchPeer | undefined,
): Promise<string[]> {
  const ours: Contender[] = [];
  for (const name of options.backend) {
    ours.push(await ourContender(name, batch, options.threads));
  }
  const theirs: Contender[] =
    peer === undefined
      ? []
      : [{ name: 'PyTorch', step: () => peer.step(batch), close: async () => {} }];
  const contenders = [...ours, ...theirs];
  const times = await timesOf(contenders, options);
  for (const contender of ours) await contender.close();
  return contenders.map(({ name }, i) => {
    const middle = median(times[i]);
    const cells = [batch, name, middle.toFixed(0), ((1000 * batch) / middle).toFixed(1)];
    if (peer === undefined || i === contenders.length - 1) return row(cells);
    const ratio = times[i].map((time, turn) => times[contenders.length - 1][turn] / time);
    const [least, most] = [Math.min(...ratio), Math.max(...ratio)];
    return row([...cells, median(ratio).toFixed(2), `${least.toFixed(2)}–${most.toFixed(2)}`]);
  });
}

async function bench(options: Options): Promise<void> {
  const peer =
    options.peer === undefined
      ? undefined
      : await openTorchPeer(findPython(options.python), options.threads);
  console.log('VGG-16 training step, float32, everybody in turn');
  for (const name of options.backend) {
    const backend = await openOnDevice(name);
    console.log(`  ${name}: ${backend.description}`);
    await backend.close?.();
  }
  if (peer !== undefined) console.log(`  PyTorch: ${peer.version}`);
  console.log(
    `${options.threads} threads, median of ${options.runs} after ${options.warmup} warm-up\n`,
  );
  const head = ['batch', 'backend', 'ms', 'images/s'];
  console.log(row(peer === undefined ? head : [...head, 'speed × PyTorch', 'range']));
  for (const batch of options.batchSize) {
    for (const line of await measure(options, batch, peer)) console.log(line);
  }
  const peak = Math.round(process.resourceUsage().maxRSS / 2 ** 10);
  console.log(`\nthis process held ${peak} MiB at most`);
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
  .option('--backend <list>', 'one or several: ort,tfjs:tensorflow', commaList, ['ort']);

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
