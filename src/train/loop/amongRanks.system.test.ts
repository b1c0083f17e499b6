/** Training in several ranks (of one process), against DistributedDataParallel and against itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasGloo } from '../../../test/support/pythons.ts';
import {
  follow,
  ofKind,
  scratch,
  tinyBackend,
  tinyDataset,
  tinyRun,
} from '../../../test/trainTinyRun.ts';
import type { Backend, Executable } from '../../backends/backend.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { AgreedError } from '../../distributed/agree.ts';
import { ranksInProcess } from '../../distributed/ranksInProcess.ts';
import { Interrupted } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpz, writeNpz } from '../../io/numpy/npz.ts';
import { hasKoffi } from '../../native/koffi.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { newestCheckpoint } from '../checkpoint/checkpointFiles.ts';
import type { TrainingEvent } from '../events.ts';
import { gradientWatch } from '../health/finiteProbes.ts';
import type { Distribution } from '../settings/distribution.ts';
import type { TrainingSettings } from '../settings/trainingSettings.ts';
import { assistTraining, type TrainingRun } from './session.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

/** What becomes of a run on all ranks: rank 0's events first. `of` is what a rank has of its own. */
function onRanks(
  run: TrainingRun,
  of: (rank: number) => Partial<TrainingRun> = () => ({}),
): [Promise<TrainingEvent[]>, ...Promise<unknown>[]] {
  const comms = ranksInProcess(run.settings.distributed!.ranks);
  const [first, ...others] = comms.map((comm, rank) => ({ ...run, ...of(rank), comm }));
  return [follow(first), ...others.map(assistTraining)];
}

/** Rank 0's events of a run on all ranks. */
async function together(
  dir: string,
  distributed: Distribution,
  settings: Partial<TrainingSettings> = {},
  rest: Partial<TrainingRun> = {},
): Promise<TrainingEvent[]> {
  const run = tinyRun(dir, { ...settings, distributed }, rest);
  const [events] = await Promise.all(onRanks(run));
  return events;
}

const script = fileURLToPath(new URL('testdata/train_by_ddp.py', import.meta.url));

const imagesOf = ({ images, labels, count }: ImageSet, prefix = ''): [string, Tensor][] => [
  [`${prefix}images`, tensor('uint8', [count, 3, 32, 32], images)],
  [`${prefix}labels`, tensor('int64', [count], BigInt64Array.from(labels, BigInt))],
];

describe.skipIf(!hasGloo())('in PyTorch (needs torch.distributed with gloo)', () => {
  // 20 images are 10 each on two ranks; on three, 7 each, one of them twice.
  test.each([
    [2, 'offset'],
    [3, 'offset'],
    [2, 'same'],
  ] as const)(
    'a run on %i ranks, seeds %s, is DistributedDataParallel’s',
    async (ranks, rankSeeds) => {
      const dir = join(s.dir, `ddp-${ranks}-${rankSeeds}`);
      const distributed = { ranks, rankSeeds, reduce: 'exact' } as const;
      const settings = {
        batchSize: 4,
        epochs: 3,
        swaStart: 3,
        lrInit: 0.001,
        swaLr: 0.001,
        seed: 5,
      };
      const events = await together(dir, distributed, settings);

      const [data, out] = [`${dir}.data.npz`, `${dir}.out.npz`];
      const { train, test: tests } = tinyDataset;
      writeFileSync(data, writeNpz(new Map([...imagesOf(train), ...imagesOf(tests, 'test_')])));
      const words = [
        ranks,
        settings.batchSize,
        settings.epochs,
        settings.seed,
        rankSeeds,
        settings.lrInit,
      ];
      execFileSync('python3', [script, fixturesDirectory, data, out, ...words.map(String)]);
      const theirs = readNpz(readFileSync(out), out);

      const losses = toFloat64(theirs.get('losses')!);
      const steps = ofKind(events, 'step');
      expect(steps).toHaveLength(losses.length / ranks);
      for (const { step, loss } of steps) {
        const all = losses.subarray(step * ranks, (step + 1) * ranks);
        expect(loss, `step ${step}`).toBeCloseTo(all.reduce((a, b) => a + b) / ranks, 5);
      }
      const { weights } = newestCheckpoint(dir).checkpoint;
      let compared = 0;
      for (const [name, value] of theirs) {
        const ours = weights.get(name);
        if (ours === undefined) continue;
        compared++;
        const [a, b] = [toFloat64(ours), toFloat64(value)];
        const scale = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0.01);
        expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]))) / scale, name).toBeLessThan(1e-4);
      }
      expect(compared).toBe(weights.size);
    },
    120_000,
  );
});

const two: Distribution = { ranks: 2, reduce: 'fast', rankSeeds: 'offset' };
const ends = ['checkpoint-4.safetensors', 'vgg16bn.safetensors', 'vgg16bn-swa.safetensors'];

describe('a run of several ranks', () => {
  test.each([0, 2])(
    'that was stopped anywhere goes on to the same bits (%i workers)',
    async (numWorkers) => {
      const settings = { batchSize: 4, numWorkers };
      const whole = join(s.dir, `whole-${numWorkers}`);
      await together(whole, two, settings);
      for (const steps of [1, 3, 5]) {
        const dir = join(s.dir, `parts-${numWorkers}-${steps}`);
        await together(dir, two, settings, { steps });
        const resume = newestCheckpoint(dir);
        expect(resume.checkpoint.ranks).toHaveLength(1);
        await together(dir, two, settings, { resume });
        for (const name of ends) {
          const [ours, theirs] = [dir, whole].map((d) => readFileSync(join(d, name)));
          expect(ours.equals(theirs), `${name}, stopped after ${steps}`).toBe(true);
        }
      }
    },
    60_000,
  );

  test('ends on all ranks with the same words when a number is none', async () => {
    const settings = { lrInit: 1e20, swa: false, distributed: two };
    const found = await Promise.allSettled(onRanks(tinyRun(join(s.dir, 'nan'), settings)));
    const reasons = found.map((one) => (one.status === 'rejected' ? one.reason : undefined));
    for (const reason of reasons) expect(reason).toBeInstanceOf(AgreedError);
    const [first, second] = reasons.map(String);
    expect(first).toMatch(/NaN or infinit.* at step \d+, in epoch \d/);
    expect(second).toBe(first);
  });

  test('goes on where no gradient but their sum overflows', async () => {
    const alarmed: Backend = {
      ...tinyBackend,
      async compile(program, fetches) {
        const made = await tinyBackend.compile(program, fetches);
        const run: Executable['run'] = async (...given) => {
          const results = new Map(await made.run(...given));
          if (results.has(gradientWatch)) {
            results.set(gradientWatch, tensor('float32', [], Float32Array.of(Infinity)));
          }
          return results;
        };
        return { ...made, run };
      },
    };
    await together(join(s.dir, 'calm'), two, { swa: false }, { steps: 2 });
    await together(join(s.dir, 'alarmed'), two, { swa: false }, { steps: 2, backend: alarmed });
    const [ours, theirs] = ['alarmed', 'calm'].map((dir) =>
      readFileSync(join(s.dir, dir, 'vgg16bn.safetensors')),
    );
    expect(ours.equals(theirs)).toBe(true);
  });

  test.skipIf(!hasKoffi())(
    'exchanges gradients where programs write and read them (needs koffi)',
    async () => {
      const buffers = new Map<string, Set<ArrayBufferLike>>();
      const note = (what: string, values: TensorMap, name: string | undefined) => {
        const known = buffers.get(what) ?? new Set();
        buffers.set(what, known.add(values.get(name ?? '')!.data.buffer));
      };
      const watched: Backend = {
        ...tinyBackend,
        async compile(program, fetches) {
          const made = await tinyBackend.compile(program, fetches);
          const gradient = [...fetches, ...program.inputs.keys()].find((n) => n.endsWith('.grad'));
          return {
            ...made,
            async run(...given) {
              const results = await made.run(...given);
              if (fetches.includes(gradientWatch)) note('fetched', results, gradient);
              else if (gradient !== undefined) note('fed', given[1], gradient);
              return results;
            },
          };
        },
      };
      const rest = { steps: 2, backend: watched };
      await together(join(s.dir, 'room'), two, { swa: false }, rest);
      for (const what of ['fetched', 'fed'])
        for (const buffer of buffers.get(what)!) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
      expect([...buffers.keys()].sort()).toEqual(['fed', 'fetched']);
    },
  );

  test('stops after the step in which any of its ranks was asked to', async () => {
    const stop = new AbortController();
    const asked = AbortSignal.abort(new Interrupted('SIGTERM', 'asked'));
    const heard: number[][] = [];
    const run = tinyRun(join(s.dir, 'asked'), { batchSize: 4, distributed: two });
    const [events] = await Promise.all(
      onRanks(run, (rank) =>
        rank === 1
          ? { signal: asked }
          : {
              signal: stop.signal,
              onStop(...told) {
                heard.push(told);
                stop.abort();
              },
            },
      ),
    );
    expect(events.at(-1)).toEqual({ kind: 'ended', ending: 'interrupted', step: 1 });
    expect(heard).toEqual([[15, 1]]);
  });
});
