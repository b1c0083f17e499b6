import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { type Precision, precisions } from '../../backends/ort/precision.ts';
import { type Device, deviceOf } from '../../backends/registry.ts';
import { type Contestant, type Timing, takeTurns } from '../../bench/measure.ts';
import { ourContestant } from '../../bench/ourStep.ts';
import { failures, markdownTable, tableRows } from '../../bench/table.ts';
import {
  findPython,
  openTorchPeer,
  type TorchMode,
  type TorchPeer,
  torchModes,
} from '../../bench/torchPeer.ts';
import { type Reduction, reductions } from '../../distributed/reduce.ts';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { models } from '../../nn/models/index.ts';
import { type TextColumn, tableFor } from '../../report/textTable.ts';
import { counted } from '../../words.ts';
import { deviceHelp, deviceName, naturalNumber, positiveInteger } from '../arguments/flags.ts';
import { outputFile } from '../arguments/outputFlags.ts';
import { benchAmongRanks, benchAsRank, type RankBench } from '../benching/amongRanks.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { machine } from '../environment.ts';

interface Options {
  readonly peer?: 'torch';
  readonly python?: string;
  readonly peerDevice: 'cpu' | 'cuda';
  readonly peerMode?: readonly TorchMode[];
  readonly batchSize?: readonly number[];
  readonly runs: number;
  readonly warmup: number;
  readonly steps: number;
  readonly threads: number;
  readonly model: keyof typeof networks;
  readonly narrow: number;
  readonly backend: readonly string[];
  readonly device: string;
  readonly precision: readonly Precision[];
  readonly json?: string;
  readonly distributed?: true;
  readonly asRank?: true;
  readonly ranks?: readonly number[];
  readonly reduce: Reduction;
  readonly mpirun: string;
  readonly mpiLibrary?: string;
}

const networks = {
  vgg16: { depth: 16, batchNorm: false },
  vgg16bn: { depth: 16, batchNorm: true },
  vgg19: { depth: 19, batchNorm: false },
  vgg19bn: { depth: 19, batchNorm: true },
} as const;

/** `--json FILE`: everything measured, for a table of several runs. */
function writeJson(path: string, options: Options, timings: unknown): void {
  const { model, runs, warmup, steps, threads, narrow } = options;
  const settings = { model, runs, warmup, steps, threads, narrow };
  const text = `${JSON.stringify({ machine: machine(), settings, timings }, null, 2)}\n`;
  writeFileAtomic(path, text);
}

/** What a narrow terminal shortens and leaves out. */
const tableColumns: Readonly<Record<string, Partial<TextColumn>>> = {
  who: { shortens: true },
  range: { goes: 1 },
  'images/s': { goes: 2, align: 'right' },
  'ms a step': { align: 'right' },
};

/** Opens each backend in each precision that it has. Throws UsageError where none has any. */
async function openAll({ backend, threads, device, precision }: Options): Promise<Backend[]> {
  const opened: Backend[] = [];
  for (const nameAndDevice of backend) {
    const [name, on = device] = nameAndDevice.split(':');
    const { coarser = [] }: Partial<Device> = on === 'auto' ? {} : deviceOf(name, on);
    for (const how of precision.filter((one) => one === 'fp32' || coarser.includes(one))) {
      opened.push(await openBackend(name, { threads, device: on, precision: how }));
    }
  }
  if (opened.length > 0) return opened;
  throw new UsageError(`${backend.join(' and ')} cannot compute so`, {
    where: `--precision ${precision.join(' ')}`,
    fix: 'leave it out, or choose --device cuda',
  });
}

async function timeSteps(options: Options, { print, columns }: CliContext): Promise<void> {
  const { threads, narrow, model, batchSize = [128], peerMode = ['fp32'] } = options;
  const network = { ...networks[model], classes: 10, narrow };
  const peer: TorchPeer | undefined =
    options.peer === undefined
      ? undefined
      : await openTorchPeer(findPython(options.python), {
          threads,
          network,
          device: options.peerDevice,
        });
  const backends = await openAll(options);
  const modes = peer === undefined ? [] : peerMode.map((mode) => peer.contestant(mode));
  const contestants: Contestant[] = [
    ...backends.map((backend) => ourContestant(backend, network)),
    ...modes,
  ];
  const width = narrow === 1 ? '' : `, widths ÷ ${narrow}`;
  const against = peer === undefined ? '' : `, in turn with ${peer.description}`;
  print(
    `${models[model].title} training step${width}: ${backends.map((b) => b.description).join('; ')}${against}`,
  );
  print(
    `${counted(threads, 'thread')}, ${counted(options.steps, 'step')} a turn, median of ${counted(options.runs, 'turn')} after ${options.warmup}\n`,
  );
  const timings: Timing[] = [];
  for (const batch of batchSize) timings.push(...(await takeTurns(contestants, batch, options)));
  const [head, ...rows] = tableRows(timings, modes[0]?.name);
  const table = head.map((title) => ({ title, ...tableColumns[title] }));
  print(
    columns === Number.POSITIVE_INFINITY
      ? markdownTable([head, ...rows])
      : tableFor(columns, table, rows).join('\n'),
  );
  for (const line of failures(timings)) print(`\nfailed: ${line}`);
  const memory = Math.round(process.resourceUsage().maxRSS / 2 ** 10);
  print(`\npeak memory of this process ${memory} MiB`);
  if (options.json !== undefined) writeJson(options.json, options, timings);
  for (const backend of backends) await backend.close?.();
  peer?.close();
}

/** The words that start this command again as one of the ranks, by the same Node. */
const asRankOf =
  ({ model, narrow, reduce, backend, device, mpiLibrary }: Options) =>
  (threads: number): string[] => [
    ...[process.execPath, ...process.execArgv, process.argv[1], 'bench', '--as-rank'],
    ...['--model', model, '--narrow', String(narrow), '--threads', String(threads)],
    ...['--backend', backend[0], '--device', device, '--reduce', reduce],
    ...(mpiLibrary === undefined ? [] : ['--mpi-library', mpiLibrary]),
  ];

async function timeRanks(options: Options, context: CliContext): Promise<void> {
  const { model, narrow, backend, batchSize = [32], ranks = [1, 2, 4], peer, json } = options;
  const asked: RankBench = {
    ...options,
    network: { ...networks[model], classes: 10, narrow },
    backend: backend[0],
    batchSize,
    ranks,
    peer: peer === 'torch',
  };
  if (options.asRank) return benchAsRank(asked);
  const tables = await benchAmongRanks(asked, asRankOf(options), context);
  if (json !== undefined) writeJson(json, options, tables);
}

const several =
  <T>(read: (text: string) => T) =>
  (text: string, known: readonly T[] = []) => [...known, read(text)];

const torchMode = (text: string): TorchMode => {
  const found = torchModes.find((mode) => mode === text);
  if (found !== undefined) return found;
  throw new UsageError(`PyTorch has no mode "${text}" here`, {
    fix: `choose from ${torchModes.join(', ')}`,
  });
};

/** Times a training step. */
export const bench: RegisterCommand = (command, context) => {
  command
    .addOption(new Option('--peer <name>', 'what to compare with').choices(['torch']))
    .option('--python <path>', 'the Python that has PyTorch')
    .addOption(
      new Option('--peer-device <name>', 'where the peer computes')
        .choices(['cpu', 'cuda'])
        .default('cpu'),
    )
    .option('--peer-mode <mode...>', `any of ${torchModes.join(', ')} (fp32)`, several(torchMode))
    .option('--batch-size <n...>', 'one or several (128; per rank: 32)', several(positiveInteger))
    .option('--runs <n>', 'measured turns', positiveInteger, 7)
    .option('--warmup <n>', 'unmeasured turns before those', naturalNumber, 2)
    .option('--steps <n>', 'steps a turn; timing a GPU needs many', positiveInteger, 1)
    .option('--threads <n>', 'for both sides', positiveInteger, availableParallelism())
    .addOption(
      new Option('--model <name>', 'the network').choices(Object.keys(networks)).default('vgg16'),
    )
    .option(
      '--narrow <n>',
      'divide the widths of the network, for slow devices',
      positiveInteger,
      1,
    )
    .option('--backend <name...>', 'ort, tfjs or oracle, or tfjs:cpu and the like (ort)', ['ort'])
    .option('--device <name>', deviceHelp, deviceName, 'auto')
    .addOption(
      new Option('--precision <how...>', 'how CUDA makes products, one or several')
        .choices(precisions)
        .default(['fp32']),
    )
    .addOption(outputFile('--json <file>', 'write every time that was measured'))
    .option('--distributed', 'time a step among ranks that mpirun starts, beside torchrun')
    .option('--ranks <n...>', 'numbers of ranks (1 2 4)', several(positiveInteger))
    .addOption(
      new Option('--reduce <how>', 'as in train --distributed').choices(reductions).default('fast'),
    )
    .option('--mpirun <words>', 'the launcher, and flags for it', 'mpirun')
    .option('--mpi-library <file>', "the launcher's libmpi.so (found by its name)")
    .addOption(new Option('--as-rank').hideHelp())
    .action((options: Options) =>
      options.distributed || options.asRank
        ? timeRanks(options, context)
        : timeSteps(options, context),
    );
};
