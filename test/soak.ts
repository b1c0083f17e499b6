import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { nextU32, type TorchGenerator } from '../src/torch/generator.ts';
import { listCheckpoints } from '../src/train/checkpoint/checkpointFiles.ts';

/** Where the small runs of a test happen. */
export interface Workplace {
  readonly dir: string;
  /** test/soakRun.ts in JavaScript. */
  readonly script: string;
  remove(): void;
}

export function openWorkplace(): Workplace {
  const compiled = inject('compiled');
  const dir = mkdtempSync(join(tmpdir(), 'swa-align-soak-'));
  return {
    dir,
    script: join(compiled, 'test', 'soakRun.js'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** When a run is stopped: at the n-th step or temporary file of a save that it is seen to make, and a while later. */
export interface Moment {
  readonly after: 'start' | 'step' | 'write';
  readonly count: number;
  readonly delayMs: number;
  readonly signal: NodeJS.Signals;
}

/** A whole number from 0 to below `n`. */
export const below = (g: TorchGenerator, n: number): number => nextU32(g) % n;

const causes = ['start', 'step', 'step', 'write'] as const;

/** The next moment of a seeded sequence. */
export function randomMoment(
  g: TorchGenerator,
  signals: readonly NodeJS.Signals[] = ['SIGKILL'],
): Moment {
  const after = causes[below(g, causes.length)];
  const signal = signals[below(g, signals.length)];
  if (after === 'start') return { after, count: 0, delayMs: below(g, 900), signal };
  // The kill follows the file at once: a small save takes a few milliseconds.
  if (after === 'write') return { after, count: 1 + below(g, 6), delayMs: 0, signal };
  return { after, count: 1 + below(g, 5), delayMs: below(g, 60), signal };
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What it has to say, without the progress lines that a slow machine brings between. */
export const messages = ({ stderr }: Ended): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('swa-align: '));

const steps = 'steps.csv';

/** A small SWA run over the synthetic set: 3 epochs of 11 steps, the last of 10 images. */
export const flagsOf = (dir: string): string[] => [
  'train',
  ...['--dir', dir, '--log-steps', join(dir, steps)],
  ...'--dataset synthetic --model vgg16bn --batch-size 64 --epochs 3 --eval-freq 2'.split(' '),
  ...'--swa --swa-start 2 --save-freq 1 --threads 1'.split(' '),
];

const isTemporary = (name: string): boolean => name.startsWith('.tmp-');

/** Sends the signal when its moment has come, if it comes. */
function stopAt(child: ChildProcess, dir: string, moment: Moment): FSWatcher {
  let seen = 0;
  const stop = (): void => {
    // With a lost connection the terminal is gone as well.
    if (moment.signal === 'SIGHUP') for (const out of [child.stdout, child.stderr]) out?.destroy();
    child.kill(moment.signal);
  };
  const later = (): void => {
    if (moment.delayMs === 0) stop();
    else setTimeout(stop, moment.delayMs);
  };
  if (moment.after === 'start') later();
  const files = new Set<string>();
  return watch(dir, (_, name) => {
    if (name === null || moment.after === 'start') return;
    // A save tells of its temporary file several times: it is made, written and renamed.
    const counts = moment.after === 'step' ? name === steps : isTemporary(name) && !files.has(name);
    files.add(name);
    if (counts && ++seen === moment.count) later();
  });
}

/** Runs a process to its end, or until the moment comes. `limit` is a shell's, as `ulimit -f 500`. */
export function live(
  { dir: cwd, script }: Workplace,
  dir: string,
  flags: readonly string[],
  { moment, limit }: { readonly moment?: Moment; readonly limit?: string } = {},
): Promise<Ended> {
  mkdirSync(dir, { recursive: true });
  const argv = [process.execPath, script, ...flags];
  const options = {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
    killSignal: 'SIGKILL' as const,
  };
  const child =
    limit === undefined
      ? spawn(argv[0], argv.slice(1), options)
      : spawn('bash', ['-c', `${limit}; exec "$@"`, 'bash', ...argv], options);
  const watcher = moment && stopAt(child, dir, moment);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      watcher?.close();
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** The flags with which a run begins or, once it has a checkpoint, goes on. */
export const goOn = (dir: string, flags: readonly string[]): string[] =>
  listCheckpoints(dir).length === 0 ? [...flags] : [...flags, '--resume'];

export interface Survival {
  /** Lives that ended before the run was finished. */
  readonly kills: number;
  /** Those that left a half-written file. */
  readonly torn: number;
}

/**
 * Runs, stops and resumes until the run is finished, after `most` kills undisturbed. Throws when a life ends in any
 * other way.
 */
export async function survive(
  place: Workplace,
  dir: string,
  flags: readonly string[],
  next: () => Moment,
  most: number,
): Promise<Survival> {
  let [kills, torn] = [0, 0];
  while (true) {
    const moment = kills < most ? next() : undefined;
    const stop = moment === undefined ? {} : { moment };
    const { code, signal, stderr } = await live(place, dir, goOn(dir, flags), stop);
    if (code === 0) return { kills, torn };
    // Interrupted while it could still save: a shell's exit code. Before that: the signal.
    const interrupted = moment && code === 128 + constants.signals[moment.signal];
    const asked = moment !== undefined && (signal === moment.signal || interrupted);
    if (!asked) throw new Error(`ended with ${code ?? signal}: ${stderr}`);
    kills++;
    if (readdirSync(dir).some(isTemporary)) torn++;
  }
}

/** The epochs' lines without their clock times, the last column. */
const timeless = (log: string): string =>
  log
    .split('\n')
    .map((line) => (/^ +\d/.test(line) ? line.slice(0, line.trimEnd().lastIndexOf(' ')) : line))
    .map((line) => line.trimEnd())
    .join('\n');

/** Every file of a run's directory by its name: the bytes, of the log all but the times. */
export const filesOf = (dir: string): Map<string, Buffer> =>
  new Map(
    readdirSync(dir)
      .sort()
      .filter((name) => existsSync(join(dir, name)))
      .map((name) => {
        const bytes = readFileSync(join(dir, name));
        return [name, name === 'train_log.txt' ? Buffer.from(timeless(String(bytes))) : bytes];
      }),
  );

/** What differs between two directories, by name; empty where every byte is the same. */
export function differences(expected: Map<string, Buffer>, dir: string): string[] {
  const found = filesOf(dir);
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => {
    const [a, b] = [expected.get(name), found.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
}
