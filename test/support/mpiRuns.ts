/** Short runs of `train --distributed` by an MPI of this machine. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Mpi, mpiEnv } from './mpis.ts';

export { narrowCommand } from '../../src/cli/testdata/commandProcess.ts';

/** A run that stops after so many steps, of which an epoch has six on two ranks: seconds. */
export const shortRun = (dir: string, steps: number, ...more: readonly string[]): string[] => [
  ...['train', '--distributed', '--dir', dir, '--no-report', '--threads', '1'],
  ...'--dataset synthetic --model vgg16bn --batch-size 64 --epochs 400'.split(' '),
  ...['--steps', String(steps), ...more],
];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Launched {
  /** The launcher's process. */
  readonly pid: number;
  /** What came on standard output so far. */
  said(): string;
  readonly ended: Promise<Ended>;
}

/** Starts so many processes of `words`. */
export function launch(mpi: Mpi, ranks: number, words: readonly string[]): Launched {
  const [file, ...flags] = mpi.start(ranks);
  const child = spawn(file, [...flags, ...words], {
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
  const ended = new Promise<Ended>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  return { pid: child.pid ?? 0, said: () => stdout, ended };
}

/** Lines of ours on standard error, but for what it is at. */
export const told = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('swa-align: '));

/** The processes of the ranks on this host, as the run says them. */
export async function processesOf({ said, ended }: Launched): Promise<number[]> {
  let over = false;
  ended.finally(() => {
    over = true;
  });
  while (!over) {
    const line = said().match(/^ranks 0 to \d+ on \S+: processes ([\d, ]+)$/m);
    if (line !== null) return line[1].split(', ').map(Number);
    await pause(10);
  }
  throw new Error(`the run has ended: ${(await ended).stderr}`);
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has.
  }
}

/** Whether a process runs; one that has ended may still wait for its parent to ask. */
const runs = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** Waits until none of these processes runs, for so long at most; gives those that do. */
export async function outlived(pids: readonly number[], mostMs: number): Promise<number[]> {
  const end = performance.now() + mostMs;
  while (pids.some(runs) && performance.now() < end) await pause(20);
  return pids.filter(runs);
}
