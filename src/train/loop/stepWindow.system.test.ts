import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { follow, ofKind, scratch, tinyBackend, tinyRun } from '../../../test/trainTinyRun.ts';
import type { Backend, DeviceState, Executable } from '../../backends/backend.ts';
import type { TrainingRun } from './session.ts';

let s: ReturnType<typeof scratch>;
beforeEach(() => {
  s = scratch();
});
afterEach(() => s.remove());

/** The tiny backend with results that stay on the device, and how many steps lay there unread at most. */
function leaving(): { readonly backend: Backend; readonly seen: { unread: number } } {
  const seen = { unread: 0 };
  let unread = 0;
  const starting = ({ run, dispose }: Executable): Executable => ({
    run,
    dispose,
    async start(state, inputs) {
      seen.unread = Math.max(seen.unread, ++unread);
      return tinyBackend.upload(await run(state, inputs));
    },
  });
  const backend: Backend = {
    ...tinyBackend,
    compile: async (program, fetches) => starting(await tinyBackend.compile(program, fetches)),
    async download(state: DeviceState, names) {
      if ([...state.keys()].some((name) => name.startsWith('loss'))) unread = 0;
      return tinyBackend.download(state, names);
    },
  };
  return { backend, seen };
}

/** The events of a run, without what differs by nature: times and places. */
async function told(run: TrainingRun) {
  const events = await follow(run);
  return { steps: ofKind(events, 'step'), rows: ofKind(events, 'epoch').map(({ row }) => row) };
}

function expectSameFiles(left: string, plain: string): void {
  expect(readdirSync(left)).toEqual(readdirSync(plain));
  expect(readdirSync(left).length).toBeGreaterThan(1);
  for (const file of readdirSync(left)) {
    const [a, b] = [left, plain].map((dir) => readFileSync(join(dir, file)));
    expect(a.equals(b), file).toBe(true);
  }
}

const failure = (run: TrainingRun): Promise<string> =>
  follow(run).then(
    () => 'no error',
    (error: Error) => error.message.replaceAll(run.directory, 'DIR'),
  );

describe('a backend that leaves its results on the device', () => {
  test('is read every few steps, and trains to the same bits and events', async () => {
    const { backend, seen } = leaving();
    const [left, plain] = ['left', 'plain'].map((name) => join(s.dir, name));
    expect(await told(tinyRun(left, {}, { backend }))).toEqual(await told(tinyRun(plain)));
    expect(seen.unread).toBeGreaterThan(1);
    expectSameFiles(left, plain);
  });

  test('is read before a checkpoint, and before a stop amid an epoch', async () => {
    const { backend } = leaving();
    const rest = { steps: 5, saveEverySteps: 2 };
    const [left, plain] = ['left', 'plain'].map((name) => join(s.dir, name));
    expect(await told(tinyRun(left, {}, { ...rest, backend }))).toEqual(
      await told(tinyRun(plain, {}, rest)),
    );
    expectSameFiles(left, plain);
  });

  test.each([
    ['in the first step', { lrInit: 1e39, swa: false }],
    ['amid an epoch', { lrInit: 1e8, swa: false }],
    ['in a later epoch', { lrInit: 0.01, swaStart: 4, swaLr: 1e9, epochs: 5, evalFreq: 1 }],
  ])(
    'names the step and layer that broke %s, as if each step had been looked at',
    async (_, how) => {
      const { backend, seen } = leaving();
      const [left, plain] = ['left', 'plain'].map((name) => join(s.dir, name));
      const message = await failure(tinyRun(left, how, { backend }));
      expect(message).toBe(await failure(tinyRun(plain, how)));
      expect(message).toMatch(/at step \d+, in epoch \d: NaN or infinity first appears in /);
      expect(seen.unread).toBeGreaterThan(1);
    },
  );
});
