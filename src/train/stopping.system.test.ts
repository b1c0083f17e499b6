import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow, scratch, tinyBackend, tinyModel, tinyRun } from '../../test/trainTinyRun.ts';
import type { Backend } from '../backends/backend.ts';
import { readCheckpoint } from './checkpoint/checkpoint.ts';
import { newestCheckpoint } from './checkpoint/checkpointFiles.ts';
import { trainedModelOf } from './checkpoint/trainedModel.ts';
import type { TrainingSettings } from './settings/trainingSettings.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

/** The tiny runs' backend, which tells what it runs before it does so. */
const watchedBackend = (seen: (program: string) => void): Backend => ({
  ...tinyBackend,
  async compile(program, fetches) {
    const { run, dispose } = await tinyBackend.compile(program, fetches);
    const watched: typeof run = (...args) => {
      seen(program.name);
      return run(...args);
    };
    return { run: watched, dispose };
  },
});

/** The programs that a run goes through, the n-th of them begun when somebody asks it to stop. */
async function stoppedAt(
  dir: string,
  settings: Partial<TrainingSettings>,
  n = Number.POSITIVE_INFINITY,
) {
  const stop = new AbortController();
  const programs: string[] = [];
  const backend = watchedBackend((program) => {
    programs.push(program);
    if (programs.length === n) stop.abort(new Error('asked to stop'));
  });
  const events = await follow(tinyRun(dir, settings, { backend, signal: stop.signal }));
  const last = events.at(-1);
  return { programs, ending: last?.kind === 'ended' ? last.ending : undefined };
}

const goOn = (dir: string, settings: Partial<TrainingSettings>) =>
  follow(tinyRun(dir, settings, { resume: newestCheckpoint(dir) }));

const ends = ['checkpoint-4.safetensors', 'vgg16bn.safetensors', 'vgg16bn-swa.safetensors'];

function expectSameEnd(dir: string, whole: string): void {
  for (const name of ends) {
    expect(readFileSync(join(dir, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
}

/** Passes over a data set: what may take minutes. */
const passes = new Set(['evaluation', 'batch norm refresh']);

describe('a run asked to stop', () => {
  test('amid any batch of an epoch’s end makes no further one, and ends in the same bits', async () => {
    const whole = join(s.dir, 'whole');
    const { programs } = await stoppedAt(whole, {});
    const places = [...programs.keys()].filter((i) => passes.has(programs[i]));
    // Six batches of the test set for the model, four for the average, and two passes of three for its norms.
    expect(places).toHaveLength(16);
    for (const i of places) {
      const dir = join(s.dir, `at-${i}`);
      const stopped = await stoppedAt(dir, {}, i + 1);
      const after = stopped.programs.slice(i + 1);
      expect(
        after.filter((name) => name !== 'SWA average'),
        `${i}`,
      ).toEqual([]);
      expect(stopped.ending).toBe(i === places.at(-1) ? 'finished' : 'interrupted');
      if (stopped.ending === 'interrupted') await goOn(dir, {});
      expectSameEnd(dir, whole);
    }
  });

  test('amid an epoch does not wait for the norms of an average that nobody has evaluated', async () => {
    const settings = { evalFreq: 99 };
    const whole = join(s.dir, 'unseen');
    const { programs } = await stoppedAt(whole, settings);
    const steps = [...programs.keys()].filter((i) => programs[i] === 'training step');
    const dir = join(s.dir, 'unseen-stopped');
    // In epoch 3, when the weights after epoch 2 have joined.
    const stopped = await stoppedAt(dir, settings, steps[7] + 1);
    expect(stopped.programs.filter((name) => name === 'batch norm refresh')).toEqual([]);
    expect(stopped.ending).toBe('interrupted');

    const file = join(dir, 'checkpoint-2-step-2.safetensors');
    const model = (kind: 'swa' | 'raw') =>
      trainedModelOf(readCheckpoint(file), file, { kind }, () => tinyModel);
    expect(() => model('swa')).toThrow(
      /checkpoint-2-step-2.* before its average got its batch-norm/,
    );
    expect(model('raw').kind).toBe('raw');

    await goOn(dir, settings);
    expectSameEnd(dir, whole);
  });
});
