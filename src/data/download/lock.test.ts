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
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import { withLock } from './lock.ts';

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
