/** Runs among two ranks that something ends, held against one that nothing ended. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TorchGenerator } from '../src/torch/generator.ts';
import { listCheckpoints, newestCheckpoint } from '../src/train/checkpoint/checkpointFiles.ts';
import { below, goOn } from './soak.ts';
import {
  type Launched,
  launch,
  narrowCommand,
  outlived,
  processesOf,
  shortRun,
  signal,
  told,
} from './support/mpiRuns.ts';
import type { Mpi } from './support/mpis.ts';

/** How long ranks may outlive one of them. */
export const mostMs = 30_000;
const steps = 12;

export const started = (mpi: Mpi, dir: string, ...more: readonly string[]): Launched =>
  launch(mpi, 2, [
    ...narrowCommand(),
    ...goOn(dir, shortRun(dir, steps, '--save-every-steps', '1', ...more)),
  ]);

/** Goes on with a run to its end. */
export async function finish(mpi: Mpi, dir: string): Promise<void> {
  const { code, stderr } = await started(mpi, dir).ended;
  expect(code, stderr).toBe(0);
}

export const weightsIn = (dir: string): Buffer => readFileSync(join(dir, 'vgg16bn.safetensors'));

/** Waits until the run has written so many checkpoints, or has ended. */
export async function written({ ended }: Launched, dir: string, count: number): Promise<void> {
  let over = false;
  ended.finally(() => {
    over = true;
  });
  while (!over && listCheckpoints(dir).length < count) await pause(5);
}

/** Ends a run by a signal once it has written so many more checkpoints, and a while after that. */
export interface Fault {
  readonly to: 'launcher' | 0 | 1;
  readonly by: NodeJS.Signals;
  readonly after: number;
  readonly delayMs: number;
}

/** The next fault of a seeded sequence. */
export const randomKill = (g: TorchGenerator): Fault => ({
  to: below(g, 2) as 0 | 1,
  by: 'SIGKILL',
  after: below(g, 4),
  delayMs: below(g, 150),
});

/**
 * Runs until the fault ends it. All ranks are then gone in time, what says so names the one that was at fault, and the
 * newest checkpoint is whole. Gives the lines that we said; undefined where the run had ended before.
 */
export async function endBy(mpi: Mpi, dir: string, fault: Fault): Promise<string[] | undefined> {
  const { to, by, after, delayMs } = fault;
  const before = listCheckpoints(dir).length;
  const run = started(mpi, dir);
  const pids = await processesOf(run);
  await written(run, dir, before + after);
  await pause(delayMs);
  signal(to === 'launcher' ? run.pid : pids[to], by);
  const left = await outlived(pids, mostMs);
  expect(left, JSON.stringify(fault)).toEqual([]);
  const { code, stdout, stderr } = await run.ended;
  if (code === 0 && stdout.includes(`stopped after ${steps} steps`)) return undefined;
  if (by === 'SIGKILL') {
    // Nobody but the launcher sees it. Open MPI's names the rank, MPICH's the process that it first found dead.
    const named = {
      'Open MPI': new RegExp(`process rank ${to} `),
      MPICH: new RegExp(`PID (${pids.join('|')}) RUNNING`),
    };
    expect(`${stdout}${stderr}`).toMatch(named[mpi.name]);
    expect(`${stdout}${stderr}`).toMatch(/signal 9/);
    expect(code).not.toBe(0);
  }
  if (listCheckpoints(dir).length > 0) expect(newestCheckpoint(dir).skipped).toEqual([]);
  return told(stderr);
}
