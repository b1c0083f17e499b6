import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manualSeed } from '../src/torch/generator.ts';
import { listCheckpoints } from '../src/train/checkpoint/checkpointFiles.ts';
import {
  differences,
  filesOf,
  flagsOf,
  live,
  messages,
  openWorkplace,
  randomMoment,
  survive,
  type Workplace,
} from './soak.ts';

/** A checkpoint after every step, and none removed: the whole run can be compared. */
const saving = ['--save-every-steps', '1', '--keep', '1000'];
const wanted = 20;

// Signals and `ulimit` are a Unix system's. The long version is `npm run test:soak`.
describe.skipIf(process.platform === 'win32')('a process that is stopped at any moment', () => {
  let place: Workplace;
  let whole: string;
  let expected: Map<string, Buffer>;
  beforeAll(async () => {
    place = openWorkplace();
    whole = join(place.dir, 'whole');
    const { code, stderr } = await live(place, whole, [...flagsOf(whole), ...saving]);
    expect(code, stderr).toBe(0);
    expected = filesOf(whole);
  }, 120_000);
  afterAll(() => place?.remove());

  test('was compared with a run that has something to lose', () => {
    const names = [...expected.keys()];
    expect(names.filter((name) => name.startsWith('checkpoint-'))).toHaveLength(34);
    expect(names).toEqual(expect.arrayContaining(['steps.csv', 'train_log.txt']));
    expect(names).toEqual(expect.arrayContaining(['vgg16bn-swa.npz', 'vgg16bn-swa.safetensors']));
  });

  test(`killed ${wanted} times and resumed, it ends in the bytes of a run never stopped`, {
    timeout: 240_000,
  }, async () => {
    const g = manualSeed(7);
    let [kills, torn] = [0, 0];
    for (let round = 0; kills < wanted; round++) {
      const dir = join(place.dir, `killed-${round}`);
      const flags = [...flagsOf(dir), ...saving];
      const found = await survive(place, dir, flags, () => randomMoment(g), wanted - kills);
      expect(differences(expected, dir)).toEqual([]);
      kills += found.kills;
      torn += found.torn;
    }
    expect(kills).toBe(wanted);
    expect(torn, 'kills amid a save').toBeGreaterThan(0);
  });

  test('a truncated and a bit-flipped checkpoint are named, and the one before them is taken', async () => {
    const dir = join(place.dir, 'damaged');
    cpSync(whole, dir, { recursive: true });
    const [newest, second] = listCheckpoints(dir);
    truncateSync(newest.path, 300_000);
    const bytes = readFileSync(second.path);
    bytes[123_456] ^= 4;
    writeFileSync(second.path, bytes);
    rmSync(join(dir, 'vgg16bn-swa.npz'));
    const ended = await live(place, dir, [...flagsOf(dir), ...saving, '--resume']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(messages(ended)).toEqual([
      expect.stringMatching(/checkpoint-3\.safetensors: .*\(skipped\)$/),
      expect.stringMatching(/checkpoint-2-step-10\.safetensors: is damaged.*\(skipped\)$/),
    ]);
    expect(differences(expected, dir)).toEqual([]);
  });

  test('a save that the system refuses leaves the checkpoint before it, one line and exit code 2', async () => {
    const dir = join(place.dir, 'refused');
    const flags = [...flagsOf(dir), ...saving];
    // From epoch 2 on the average is in the file, which is then larger than allowed.
    const ended = await live(place, dir, flags, { limit: 'ulimit -f 600' });
    expect(ended.code, ended.stderr).toBe(2);
    const line =
      /^swa-align: \S+checkpoint-2\.safetensors: the file is too large for its file system;/;
    expect(messages(ended)).toEqual([expect.stringMatching(line)]);
    const [newest] = listCheckpoints(dir);
    expect(newest.path).toBe(join(dir, 'checkpoint-1-step-10.safetensors'));
    const names = [...filesOf(dir).keys()];
    expect(names.filter((name) => name.startsWith('.tmp-'))).toEqual([]);
    expect((await live(place, dir, [...flags, '--resume'])).code).toBe(0);
    expect(differences(expected, dir)).toEqual([]);
  });
});
