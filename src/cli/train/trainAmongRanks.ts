import { availableParallelism, constants, cpus, hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { backendLabel } from '../../backends/backend.ts';
import { AgreedError, agree, checkSame, nameOf } from '../../distributed/agree.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { broadcastBytes, gatherTexts } from '../../distributed/messages.ts';
import { openMpi } from '../../distributed/mpi/openMpi.ts';
import { processesOf } from '../../distributed/processes.ts';
import { Interrupted, UsageError } from '../../errors.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { readSafetensors } from '../../io/safetensors/safetensors.ts';
import { checkpointOf } from '../../train/checkpoint/checkpoint.ts';
import { digestDataset } from '../../train/dataset.ts';
import { assistTraining } from '../../train/loop/session.ts';
import { parseSettings } from '../../train/settings/trainingSettings.ts';
import { packageVersion } from '../../version.ts';
import { warn } from '../claims.ts';
import type { CliContext } from '../context.ts';
import { reportFailure } from '../failure.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { leaveTelling } from '../terminal/liveLine.ts';
import { rankFlags, type TrainFlags } from './givenSettings.ts';
import { openRun } from './openRun.ts';
import { dataPathOf, planRun } from './planRun.ts';
import type { OneRun } from './seedRuns.ts';
import { interruption, runOf, trainOne } from './trainOne.ts';

/** Throws UsageError for flags that only mean something with `--distributed`. */
export function refuseIdleFlags(flags: TrainFlags): void {
  const idle = Object.entries(rankFlags).find(
    ([name]) => flags[name as keyof TrainFlags] !== undefined,
  );
  if (idle !== undefined) {
    throw new UsageError(`${idle[1]} does nothing without --distributed`, {
      fix: 'add --distributed, and start the command by mpirun',
    });
  }
}

/**
 * Trains as one of the ranks that an MPI launcher started. Rank 0 plans, writes and prints; the others make their
 * part of every step. Whatever ends one of them ends all, and is told once.
 */
export async function trainAmongRanks(
  flags: TrainFlags,
  command: Command,
  context: CliContext,
): Promise<void> {
  if (flags.seeds !== undefined) {
    throw new UsageError('--seeds makes several runs and --distributed one', {
      fix: 'leave one of them out',
    });
  }
  const comm = await openMpi(flags.mpiLibrary, (call) =>
    warn(`${nameOf(comm)}: has waited for the others for a minute, in ${call}`),
  );
  if (comm.rank > 0) leaveTelling();
  try {
    await trainOnRank(comm, flags, command, context);
  } catch (error) {
    if (!(error instanceof AgreedError)) {
      const code = reportFailure(`swa-align: ${nameOf(comm)}`, error);
      context.claims.release();
      // MPICH's launcher drops what it has not read by the time of the abort.
      await setTimeout(500);
      comm.abort(code);
      // Where that returns, the others are gone or going: nobody is left to meet.
      return context.fail(code);
    }
    // All know of it, and leave together.
    await comm.close();
    if (comm.rank === 0) throw error;
    return context.fail(2);
  }
  await comm.close();
}

async function trainOnRank(
  comm: Communicator,
  given: TrainFlags,
  command: Command,
  context: CliContext,
): Promise<void> {
  const { plan, dataPath } = await planTogether(comm, given, context);
  // Another host may have the data set elsewhere.
  const ownPath = given.dataPath ?? dataPath;
  const flags = { ...given, threads: given.threads ?? (await threadsEach(comm)) };
  // All but rank 0 are given its weights, whatever it begins with.
  const { weights, ...others } = flags;
  const begins = comm.rank === 0 && plan.found === undefined;
  const opened = await agree(comm, async () => {
    const open = await openRun(plan.settings, ownPath, begins ? flags : others, context);
    if (open.backend.precision === 'float32') return open;
    throw new UsageError(
      `gradients are added up in float32, and ${open.backend.name} computes in float64`,
      {
        fix: 'choose another --backend, or leave --distributed out',
      },
    );
  });
  const data = digestDataset(opened.dataset);
  await checkSame(
    comm,
    {
      'version of swa-align': packageVersion,
      'training images': data.train,
      'test images': data.test,
      backend: backendLabel(opened.backend),
    },
    { fix: 'start all ranks with the same package and data' },
  );
  const processes = await processesOf(comm);
  const stop = new AbortController();
  const onStop = (signal: number, rank: number): void => {
    if (stop.signal.aborted) return;
    const name = Object.entries(constants.signals).find(([, n]) => n === signal)?.[0] ?? 'SIGTERM';
    warn(`rank ${rank} was asked to stop by ${name}: stopping after this step, with a checkpoint`);
    stop.abort(new Interrupted(name as NodeJS.Signals, interruption.because.what));
  };
  const run = { ...runOf(plan, opened, flags, stop.signal), comm, onStop };
  const { because, tell } = interruption;
  const release = onInterrupt({ stop, because, ...(comm.rank === 0 && { tell }) });
  try {
    if (comm.rank > 0) return await assistTraining(run);
    context.print(comm.description);
    for (const line of processes) context.print(line);
    await trainOne(run, plan, { flags: given, command, single: true }, context);
  } finally {
    release();
  }
}

/** What rank 0 plans, on every rank: a checkpoint need not lie on the others' disks. */
async function planTogether(
  comm: Communicator,
  flags: TrainFlags,
  context: CliContext,
): Promise<{ readonly plan: OneRun; readonly dataPath: string | undefined }> {
  const own = await agree(comm, async () => {
    if (comm.rank > 0) return undefined;
    const plan = await planRun(flags, context, comm.size);
    if (flags.logSteps !== undefined) {
      await context.claims.claimFile(flags.logSteps, 'give --log-steps another file');
    }
    const checkpoint = plan.found && readFileOrFail(plan.found.path, { fix: 'try again' });
    return { plan, dataPath: dataPathOf(flags, plan), checkpoint };
  });
  const { settings, directory, found } = own?.plan ?? {};
  const words = new TextEncoder().encode(
    JSON.stringify({ settings, directory, dataPath: own?.dataPath, path: found?.path }),
  );
  const told = await broadcastBytes(comm, words);
  const checkpoint = await broadcastBytes(comm, own?.checkpoint);
  if (own !== undefined) return own;
  const { path, dataPath, ...plan } = JSON.parse(new TextDecoder().decode(told));
  return {
    dataPath,
    plan: {
      settings: parseSettings(plan.settings),
      directory: plan.directory,
      report: undefined,
      ...(path !== undefined && {
        found: {
          path,
          checkpoint: checkpointOf(readSafetensors(checkpoint, path), path),
          skipped: [],
        },
      }),
    },
  };
}

/** The cores of this host shared among its ranks, unless the launcher has given each its own. */
async function threadsEach(comm: Communicator): Promise<number> {
  const here = (await gatherTexts(comm, hostname())).filter((host) => host === hostname()).length;
  const [given, all] = [availableParallelism(), cpus().length];
  return given < all ? given : Math.max(1, Math.floor(all / here));
}
