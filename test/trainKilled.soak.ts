import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manualSeed } from '../src/torch/generator.ts';
import { listCheckpoints, newestCheckpoint } from '../src/train/checkpoint/checkpointFiles.ts';
import {
  differences,
  filesOf,
  flagsOf,
  live,
  messages,
  openWorkplace,
  randomMoment,
  type Survival,
  survive,
  type Workplace,
} from './soak.ts';

const everyStep = ['--save-every-steps', '1', '--keep', '1000'];
/** What a run ends with, whichever checkpoints it has kept. */
const ends = /^(checkpoint-3\.|steps|train_log|vgg16bn)/;

describe('a process that is stopped at any moment, for a long time', () => {
  let place: Workplace;
  let expected: Map<string, Buffer>;
  let last: Map<string, Buffer>;
  beforeAll(async () => {
    place = openWorkplace();
    const dir = join(place.dir, 'whole');
    const { code, stderr } = await live(place, dir, [...flagsOf(dir), ...everyStep]);
    expect(code, stderr).toBe(0);
    expected = filesOf(dir);
    last = new Map([...expected].filter(([name]) => ends.test(name)));
  }, 120_000);
  afterAll(() => place?.remove());

  /** Runs it again and again, until it has been stopped `wanted` times. */
  async function stopped(
    name: string,
    wanted: number,
    saving: readonly string[],
    signals: readonly NodeJS.Signals[],
    check: (dir: string) => void,
  ): Promise<Survival> {
    const g = manualSeed(wanted);
    let [kills, torn] = [0, 0];
    for (let round = 0; kills < wanted; round++) {
      const dir = join(place.dir, `${name}-${round}`);
      const flags = [...flagsOf(dir), ...saving];
      const next = () => randomMoment(g, signals);
      const found = await survive(place, dir, flags, next, wanted - kills);
      check(dir);
      kills += found.kills;
      torn += found.torn;
    }
    return { kills, torn };
  }

  test('killed 60 times: every file is that of a run never stopped', async () => {
    const found = await stopped('killed', 60, everyStep, ['SIGKILL'], (dir) =>
      expect(differences(expected, dir)).toEqual([]),
    );
    expect(found.kills).toBe(60);
    expect(found.torn).toBeGreaterThan(3);
  });

  test('killed and interrupted 50 times, few checkpoints kept: the same end', async () => {
    const saving = ['--save-every-steps', '4', '--keep', '2'];
    const signals = ['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const found = await stopped('mixed', 50, saving, signals, (dir) => {
      expect(listCheckpoints(dir)).toHaveLength(2);
      expect(differences(last, dir).filter((name) => ends.test(name))).toEqual([]);
    });
    expect(found.kills).toBe(50);
  });

  test('a full disk, again and again: exit code 2, one line, and the last checkpoint whole', async (context) => {
    const dir = join(place.dir, 'full');
    mkdirSync(dir);
    const mount = (...options: string[]): boolean =>
      spawnSync('mount', [...options, 'swa-align-soak', dir]).status === 0;
    // A small file system of its own takes the right to make one.
    if (!mount('-t', 'tmpfs', '-o', 'size=1100k')) return context.skip();
    try {
      const flags = [...flagsOf(dir), ...everyStep];
      let failures = 0;
      for (let kilobytes = 1100; ; kilobytes += 1500) {
        mount('-t', 'tmpfs', '-o', `remount,size=${kilobytes}k`);
        const resumed = listCheckpoints(dir).length === 0 ? [] : ['--resume'];
        const ended = await live(place, dir, [...flags, ...resumed]);
        if (ended.code === 0) break;
        expect(ended.code, ended.stderr).toBe(2);
        const line = /^swa-align: \S+: no space left on the disk; free some space and try again$/;
        expect(messages(ended)).toEqual([expect.stringMatching(line)]);
        expect(newestCheckpoint(dir).skipped).toEqual([]);
        failures++;
      }
      expect(failures).toBeGreaterThan(5);
      expect(differences(expected, dir)).toEqual([]);
    } finally {
      spawnSync('umount', [dir]);
    }
  });
});
