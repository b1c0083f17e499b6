import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { follow, ofKind, scratch, tinyRun, tinyStepsPerEpoch } from '../../../test/trainTinyRun.ts';
import { InputError } from '../../errors.ts';
import { manualSeed, nextU32 } from '../../torch/generator.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { checkpointFileName, listCheckpoints, newestCheckpoint } from './checkpointFiles.ts';

let s: ReturnType<typeof scratch>;
beforeEach(() => {
  s = scratch();
});
afterEach(() => s.remove());

/** The checkpoints there are, the newest first, as `epoch-step`. */
const kept = (dir = s.dir): string[] =>
  listCheckpoints(dir).map(({ epoch, step }) => (step === 0 ? `${epoch}` : `${epoch}-${step}`));

/** Those that were written, in turn. */
const written = async (rest: Parameters<typeof tinyRun>[2]): Promise<string[]> =>
  ofKind(await follow(tinyRun(s.dir, {}, rest)), 'saved')
    .filter(({ what }) => what === 'checkpoint')
    .map(({ paths: [path] }) => basename(path, '.safetensors').replace('checkpoint-', ''));

describe('--save-every-steps', () => {
  test('writes one after every n-th step of the whole run, beside those of --save-freq', async () => {
    expect(await written({ saveEverySteps: 2, saveFreq: 2, steps: 10 })).toEqual(
      '0 0-step-2 1-step-1 2 2-step-2 3-step-1'.split(' '),
    );
  });

  test('without it the beginning, --save-freq and the end are saved', async () => {
    expect(await written({ saveFreq: 3 })).toEqual('0 3 4'.split(' '));
  });
});

describe('--keep', () => {
  test('leaves the newest checkpoints', async () => {
    await follow(tinyRun(s.dir, {}, { saveEverySteps: 2, keep: 2, steps: 7 }));
    expect(kept()).toEqual(['2-1', '2']);
  });

  test('by default all whole epochs stay, and the two newest of those amid one', async () => {
    await follow(tinyRun(s.dir, {}, { saveEverySteps: 1, saveFreq: 1, steps: 8 }));
    expect(kept()).toEqual(['2-2', '2-1', '2', '1', '0']);
  });

  test.each([[1], [2], [undefined]])(
    'a damaged one ahead of the run never pushes out a whole one: --keep %j',
    async (keep) => {
      const saving = { saveEverySteps: 1, saveFreq: 1 };
      await follow(tinyRun(s.dir, {}, { ...saving, keep: 100, steps: 8 }));
      const [newest, second, third] = listCheckpoints(s.dir);
      for (const { path } of [newest, second]) truncateSync(path, 1000);
      const resume = newestCheckpoint(s.dir);
      expect(resume.path).toBe(third.path);
      // It goes on before the damaged ones, and is killed after its first save.
      const limit = keep === undefined ? {} : { keep };
      const early = listCheckpoints(s.dir).find(({ epoch, step }) => epoch === 1 && step === 1)!;
      const earlier = { path: early.path, checkpoint: readCheckpoint(early.path) };
      await follow(
        tinyRun(s.dir, {}, { ...saving, ...limit, resume: earlier }),
        (event) => event.kind === 'saved',
      );
      expect(kept()).toContain('1-2');
      expect(newestCheckpoint(s.dir).skipped).toHaveLength(2);
    },
  );
});

test('holds the log of a run of a thousand epochs', async () => {
  await follow(tinyRun(s.dir, {}, { steps: 4 }));
  const checkpoint = readCheckpoint(listCheckpoints(s.dir)[0].path);
  const row = checkpoint.rows[0];
  const rows = Array.from({ length: 1000 }, (_, i) => ({ ...row, epoch: i + 1 }));
  const path = join(s.dir, 'long.safetensors');
  writeCheckpoint(path, { ...checkpoint, rows });
  expect(readCheckpoint(path).rows).toEqual(rows);
});

describe('a damaged checkpoint is refused', () => {
  const file = async (): Promise<string> => {
    await follow(tinyRun(s.dir, {}, { steps: 4 }));
    return listCheckpoints(s.dir)[0].path;
  };

  test('whichever single bit has flipped', async () => {
    const path = await file();
    const bytes = readFileSync(path);
    const header = 8 + Number(bytes.readBigUInt64LE());
    const g = manualSeed(3);
    const bad = join(s.dir, 'bad.safetensors');
    // The header is short and full of meaning, so that half of the flips go there.
    for (let n = 0; n < 120; n++) {
      const at = nextU32(g) % (n % 2 === 0 ? header : bytes.length);
      const bit = 1 << (nextU32(g) % 8);
      bytes[at] ^= bit;
      writeFileSync(bad, bytes);
      expect(() => readCheckpoint(bad), `byte ${at}, bit ${bit}`).toThrow(InputError);
      bytes[at] ^= bit;
    }
    writeFileSync(bad, bytes);
    expect(readCheckpoint(bad).position.epoch).toBe(1);
  });

  test('wherever it was cut off', async () => {
    const path = await file();
    const bytes = readFileSync(path);
    const g = manualSeed(4);
    for (let n = 0; n < 40; n++) {
      const length = n < 10 ? n : nextU32(g) % bytes.length;
      writeFileSync(path, bytes.subarray(0, length));
      expect(() => readCheckpoint(path), `${length} bytes`).toThrow(InputError);
    }
    expect(readdirSync(s.dir)).toContain('checkpoint-0.safetensors');
  });
});

describe('checkpoints stand in the order of their numbers, not of their names', () => {
  test('whichever there are', () => {
    const place = fc.record({ epoch: fc.nat(1100), step: fc.nat(1100) });
    fc.assert(
      fc.property(fc.uniqueArray(place, { selector: checkpointFileName }), (places) => {
        const dir = mkdtempSync(join(s.dir, 'order-'));
        for (const one of places) writeFileSync(join(dir, checkpointFileName(one)), '');
        const found = listCheckpoints(dir).map(({ epoch, step }) => epoch * 2000 + step);
        const expected = places.map(({ epoch, step }) => epoch * 2000 + step);
        expect(found).toEqual(expected.sort((a, b) => b - a));
      }),
    );
  });

  test('a run stopped after the tenth goes on from it, and the oldest are removed', async () => {
    const settings = { epochs: 12, swaStart: 9, evalFreq: 4 };
    const saving = { saveFreq: 1, keep: 3 };
    const whole = join(s.dir, 'whole');
    await follow(tinyRun(whole, settings, saving));
    const dir = join(s.dir, 'resumed');
    await follow(tinyRun(dir, settings, { ...saving, steps: 10 * tinyStepsPerEpoch }));
    expect(kept(dir)).toEqual(['10', '9', '8']);
    const resume = newestCheckpoint(dir);
    const events = await follow(tinyRun(dir, settings, { ...saving, resume }));
    expect(ofKind(events, 'step')[0].step).toBe(10 * tinyStepsPerEpoch);
    expect(kept(dir)).toEqual(['12', '11', '10']);
    expect(readdirSync(dir)).toEqual(readdirSync(whole));
    for (const name of readdirSync(whole)) {
      expect(readFileSync(join(dir, name)).equals(readFileSync(join(whole, name))), name).toBe(
        true,
      );
    }
  });
});
