import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import { tryLock, withLock } from './lock.ts';

let dir: string;
let path: string;
let waited: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(dir, 'x.lock');
  waited = 0;
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const timing = { beatMs: 20, pollMs: 10, deadMs: 500 };
const never = new AbortController().signal;
const options = (signal = never, now?: () => number) => ({
  timing: { ...timing, ...(now && { now }) },
  signal,
  onWait: () => {
    waited++;
  },
});

test('one after the other, and nothing stays', async () => {
  // A clock that stands but for the holder's beats: so many of them take longer than a dead holder is waited for.
  const beats = new Set<number>();
  const now = (): number => {
    if (existsSync(path)) beats.add(statSync(path).mtimeMs);
    return 300 * beats.size;
  };
  let inside = 0;
  let most = 0;
  const work = async (): Promise<number> => {
    inside++;
    most = Math.max(most, inside);
    const until = now() + 4 * timing.deadMs;
    while (now() < until) await pause(timing.pollMs);
    inside--;
    return most;
  };
  const both = [1, 2].map(() => withLock(path, options(never, now), work));
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect(waited).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test('the lock of a killed process is taken over, whatever its clock said', async () => {
  for (const when of [new Date(0), new Date(Date.now() + 3_600_000)]) {
    writeFileSync(path, 'killed');
    utimesSync(path, when, when);
    let clock = 0;
    const now = (): number => {
      clock += 100;
      return clock;
    };
    await withLock(path, options(never, now), async () => {});
    // It looked until the holder had been silent for longer than deadMs, and no further.
    expect(clock).toBe(100 + timing.deadMs + 100);
    expect(existsSync(path)).toBe(false);
  }
});

test('is given back after a failure', async () => {
  const failing = withLock(path, options(), async () => {
    throw new InputError('failed');
  });
  await expect(failing).rejects.toThrow(/^failed$/);
  expect(existsSync(path)).toBe(false);
});

test('who has lost it is told, and leaves the new holder’s alone', async () => {
  const losing = withLock(path, options(), async (signal) => {
    writeFileSync(path, 'somebody else');
    await pause(2000, undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  });
  await expect(losing).rejects.toThrow(/x\.lock: another process has taken over/);
  expect(readFileSync(path, 'utf8')).toBe('somebody else');
});

test('waiting and working end when the caller wishes it', async () => {
  writeFileSync(path, 'held');
  const reason = new InputError('enough');
  const waiting = withLock(path, options(AbortSignal.abort(reason)), async () => {});
  await expect(waiting).rejects.toBe(reason);
  expect(readFileSync(path, 'utf8')).toBe('held');
  rmSync(path);
  const stop = new AbortController();
  const working = withLock(path, options(stop.signal), async (signal) => {
    stop.abort(reason);
    throw signal.reason;
  });
  await expect(working).rejects.toBe(reason);
  expect(existsSync(path)).toBe(false);
});

test('a directory that is not there', async () => {
  const locking = withLock(join(dir, 'none', 'x.lock'), options(), async () => {});
  await expect(locking).rejects.toThrow(InputError);
});

// A process is named by its pid and its beginning where the system tells both (Linux, macOS).
describe.skipIf(process.platform === 'win32')('of another process', () => {
  const script = fileURLToPath(new URL('../testdata/takeLocks.ts', import.meta.url));
  /** Nobody is waited for: who is taken for dead or living is so for another reason than silence. */
  const never = { beatMs: 50, pollMs: 10, deadMs: 3_600_000 };
  const soon = { beatMs: 50, pollMs: 10, deadMs: 200 };
  let children: ChildProcess[];
  beforeEach(() => {
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  const says = (child: ChildProcess, word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let text = '';
      child.stdout?.on('data', (chunk) => {
        text += chunk;
        if (text.includes(word)) resolve();
      });
      child.on('close', () => reject(new Error(`ended without "${word}"`)));
    });

  async function start(...paths: string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...paths], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    await says(child, 'ready');
    return child;
  }

  async function take(child: ChildProcess): Promise<void> {
    const done = says(child, 'done');
    child.stdin?.write('\n');
    await done;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Changes what the lock's file says. */
  function rewrite(change: object): void {
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
  }

  /** The pid of whoever holds it, or ours once we have it. */
  async function holder(timing = never): Promise<number | undefined> {
    const taken = await tryLock(path, { timing });
    if ('holder' in taken) return taken.holder.pid;
    taken.lock.release();
    return process.pid;
  }

  test('living, stopped or killed: known at once', async () => {
    const child = await start(path);
    await take(child);
    expect(await holder()).toBe(child.pid);
    // A process that is stopped (Ctrl-Z) is silent and goes on later.
    child.kill('SIGSTOP');
    await pause(3 * soon.deadMs);
    expect(await holder(soon)).toBe(child.pid);
    await kill(child);
    expect(existsSync(path)).toBe(true);
    expect(await holder()).toBe(process.pid);
    expect(existsSync(path)).toBe(false);
  });

  test('whose pid is by now another’s', async () => {
    const child = await start(path);
    await take(child);
    await kill(child);
    rewrite({ pid: process.pid });
    expect(await holder()).toBe(process.pid);
  });

  test('of another boot or machine: living while it shows itself', async () => {
    const child = await start(path);
    await take(child);
    const mine = readFileSync(path, 'utf8');
    // Its next touch finds its own token.
    rewrite({ place: 'elsewhere', pid: 1 });
    expect(await holder(never)).toBe(1);
    await kill(child);
    writeFileSync(path, mine);
    rewrite({ place: 'elsewhere', pid: 1 });
    const doubted: unknown[] = [];
    const onDoubt = (holder: unknown): number => doubted.push(holder);
    const taken = await tryLock(path, { timing: soon, onDoubt });
    expect(taken).toHaveProperty('lock');
    expect(doubted).toEqual([expect.objectContaining({ pid: 1, place: 'elsewhere' })]);
  });

  test('that is dead, and many who come at once: one takes its place', {
    timeout: 60_000,
  }, async () => {
    const paths = Array.from({ length: 200 }, (_, i) => join(dir, `${i}.lock`));
    const dead = await start(...paths);
    await take(dead);
    await kill(dead);
    const heirs = await Promise.all([1, 2, 3, 4].map(() => start(...paths)));
    await Promise.all(heirs.map(take));
    const winners = paths.map((p) =>
      readFileSync(`${p}.taken`, 'utf8')
        .trimEnd()
        .split('\n')
        .filter((pid) => Number(pid) !== dead.pid),
    );
    expect(winners.filter((pids) => pids.length !== 1)).toEqual([]);
  });
});
