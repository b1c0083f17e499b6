import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import type { VggOptions } from '../../nn/models/vgg.ts';
import { type AskedProcess, askedProcess } from '../askedProcess.ts';
import type { Contestant } from '../measure.ts';
import type { RankAnswer } from './answerOrders.ts';
import type { Exchanged } from './counted.ts';
import type { StepKind } from './rankSteps.ts';

/** So many ranks of one side, which make steps when they are asked to. */
export interface Ranks {
  readonly name: string;
  /** `name` is the side's. */
  contestant(kind: StepKind): Contestant;
  /** What rank 0 exchanged in a step of its last block, where it says so. */
  exchanged(): Exchanged | undefined;
  close(): void;
}

function ranksOf(name: string, asked: AskedProcess): Ranks {
  let exchanged: Exchanged | undefined;
  return {
    name,
    contestant: (kind) => ({
      name: `${name} ${kind}`,
      async block(batch, steps) {
        asked.send({ kind, batch, steps });
        const said = (await asked.answer()) as unknown as Partial<RankAnswer>;
        if (kind === 'among' && said.exchangeMs !== undefined) {
          exchanged = { ms: said.exchangeMs, bytes: said.exchangeBytes ?? 0 };
        }
        return Number(said.ms);
      },
    }),
    exchanged: () => exchanged,
    close: asked.close,
  };
}

/**
 * The launcher's words for so many processes, none bound to cores: that would be another measure on each. Throws
 * UsageError where there is no such launcher.
 */
export function launcherWords(mpirun: string, ranks: number): string[] {
  const [file, ...flags] = mpirun.split(' ').filter((word) => word !== '');
  const { stdout, stderr, error } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) {
    throw new UsageError(`does not start: ${error.message}`, {
      where: `--mpirun ${mpirun}`,
      fix: 'install Open MPI or MPICH, or name its mpirun',
    });
  }
  const free = /Open ?(MPI|RTE)/.test(stdout + stderr)
    ? ['--oversubscribe', '--bind-to', 'none']
    : [];
  return [file, ...free, ...flags, '-np', String(ranks)];
}

/** Our ranks: `command` is what each of them runs. */
export function ourRanks(mpirun: string, ranks: number, command: readonly string[]): Ranks {
  return ranksOf('ours', askedProcess('mpirun', [...launcherWords(mpirun, ranks), ...command]));
}

const script = join(fixturesDirectory, 'peer_torch_ddp.py');

/** PyTorch's, started by torchrun. */
export async function torchRanks(
  python: string,
  ranks: number,
  threads: number,
  { depth, batchNorm, narrow = 1 }: VggOptions,
): Promise<{ readonly ranks: Ranks; readonly version: string }> {
  const launcher = ['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${ranks}`];
  const args = ['--depth', depth, '--narrow', narrow, '--threads', threads].map(String);
  if (batchNorm) args.push('--batch-norm');
  const asked = askedProcess('torchrun', [python, ...launcher, script, ...args], {
    ...process.env,
    // Else torchrun says that it has set it; each rank sets its own.
    OMP_NUM_THREADS: String(threads),
  });
  const { version } = await asked.answer();
  return { ranks: ranksOf('PyTorch', asked), version: String(version) };
}
