/** Short runs of `train --distributed` by an MPI of this machine. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Mpi, mpiEnv } from './mpis.ts';

/** `node …` that runs the command line with narrow networks; see test/soakRun.ts. */
export const narrowCommand = (): readonly string[] => [
  process.execPath,
  join(inject('compiled'), 'test', 'soakRun.js'),
];

/** A run that stops after so many of the six steps that an epoch has on two ranks: seconds. */
export const shortRun = (dir: string, steps: number, ...more: readonly string[]): string[] => [
  ...['train', '--distributed', '--dir', dir, '--no-report', '--threads', '1'],
  ...'--dataset synthetic --model vgg16bn --batch-size 64 --epochs 2'.split(' '),
  ...['--steps', String(steps), ...more],
];

export interface Launched {
  /** The launcher's process. */
  readonly pid: number;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** Starts so many processes of `words`. */
export function launch(
  mpi: Mpi,
  ranks: number,
  words: readonly string[],
  { launcherFlags = [], cwd }: { launcherFlags?: readonly string[]; cwd?: string } = {},
): Launched {
  const [file, ...flags] = mpi.start(ranks);
  const child = spawn(file, [...launcherFlags, ...flags, ...words], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, NODE_OPTIONS: '', SWA_ALIGN_DEBUG: '', ...mpiEnv },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const ended = new Promise<Awaited<Launched['ended']>>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  return { pid: child.pid ?? 0, ended };
}

/** Lines of ours on standard error, but for what it is at. */
export const told = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('swa-align: '));
