import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  follow,
  ofKind,
  scratch,
  tinyDataset,
  tinyModel,
  tinyRun,
} from '../../../test/trainTinyRun.ts';
import { InputError, UsageError } from '../../errors.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { type Tensor, type TensorMap, tensor, zeros } from '../../tensor/tensor.ts';
import { generatorState, manualSeed } from '../../torch/generator.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../checkpoint/checkpoint.ts';
import { listCheckpoints, newestCheckpoint } from '../checkpoint/checkpointFiles.ts';
import type { LogRow } from '../logRow.ts';

const finals = [
  'checkpoint-4.safetensors',
  'vgg16bn.safetensors',
  'vgg16bn-swa.safetensors',
  'vgg16bn-swa.npz',
];

let s: ReturnType<typeof scratch>;
let whole: { readonly dir: string; readonly rows: readonly LogRow[] };
beforeAll(async () => {
  s = scratch();
  const dir = join(s.dir, 'whole');
  const events = await follow(tinyRun(dir));
  whole = { dir, rows: ofKind(events, 'epoch').map(({ row }) => row) };
});
afterAll(() => s.remove());

const expectSameEnd = (dir: string): void => {
  for (const name of finals) {
    const [a, b] = [whole.dir, dir].map((d) => readFileSync(join(d, name)));
    expect(b.equals(a), name).toBe(true);
  }
};

describe('a run killed at any moment and resumed ends in the bits of one never stopped', () => {
  // Events from the run's beginning until it is dropped, again and again, each time resumed.
  test.each([[[1]], [[2]], [[5]], [[7]], [[8, 3]], [[9, 9]], [[12, 4, 6]], [[3, 3, 3, 3, 3, 3]]])(
    'killed after %j events',
    async (kills) => {
      const dir = join(s.dir, `killed-${kills.join('-')}`);
      const saving = { saveEverySteps: 2, saveFreq: 1 };
      for (const [i, events] of [...kills, Number.POSITIVE_INFINITY].entries()) {
        const resume = i > 0 && listCheckpoints(dir).length > 0 ? newestCheckpoint(dir) : undefined;
        let seen = 0;
        await follow(
          tinyRun(dir, {}, { ...saving, ...(resume && { resume }) }),
          () => ++seen >= events,
        );
      }
      expectSameEnd(dir);
    },
  );

  test('stopped amid an epoch and after one, by --steps', async () => {
    const dir = join(s.dir, 'steps');
    for (const steps of [4, 6, 11, 99]) {
      const resume = listCheckpoints(dir).length > 0 ? newestCheckpoint(dir) : undefined;
      await follow(tinyRun(dir, {}, { steps, ...(resume && { resume }) }));
    }
    expectSameEnd(dir);
  });

  test('the log rows of the resumed run are those of the whole one', async () => {
    const { rows } = readCheckpoint(join(s.dir, 'steps', 'checkpoint-4.safetensors'));
    expect(rows).toEqual(whole.rows);
  });

  test('trap: a resumed run carries weights, momentum, SWA average, count, epoch and generator', () => {
    const { weights, momenta, average, averaged, position } = readCheckpoint(
      join(whole.dir, 'checkpoint-4.safetensors'),
    );
    const parameters = tinyModel.state.filter(({ role }) => role === 'parameter');
    expect(momenta.size).toBe(parameters.length);
    expect(averaged).toBe(3);
    expect([...average!.keys()]).toEqual([...weights.keys()]);
    expect(position).toMatchObject({ epoch: 4, step: 0 });
    expect(position.generator).toHaveLength(5056);
  });
});

test('two identical runs write identical bytes: there are no clock times in them', async () => {
  const dir = join(s.dir, 'again');
  await follow(tinyRun(dir));
  expectSameEnd(dir);
});

describe('checkpoints', () => {
  const file = (): string => join(whole.dir, 'checkpoint-4.safetensors');

  test('are read as they were written', () => {
    const copy = join(s.dir, 'copy.safetensors');
    writeCheckpoint(copy, readCheckpoint(file()));
    expect(readFileSync(copy).equals(readFileSync(file()))).toBe(true);
  });

  test('a damaged newest one is named and the one before it is taken', async () => {
    const dir = join(s.dir, 'damaged');
    await follow(tinyRun(dir, {}, { saveEverySteps: 1, steps: 5 }));
    const [newest, second, third] = listCheckpoints(dir);
    truncateSync(newest.path, 5000);
    const bytes = readFileSync(second.path);
    bytes[bytes.length - 77] ^= 1;
    writeFileSync(second.path, bytes);
    const found = newestCheckpoint(dir);
    expect(found.path).toBe(third.path);
    expect(found.skipped.map((line) => line.split(': ')[0])).toEqual([newest.path, second.path]);
    expect(found.skipped[1]).toContain('is damaged');
    await follow(tinyRun(dir, {}, { resume: found }));
    expectSameEnd(dir);
  });

  test('a directory without a whole one says why', () => {
    const dir = join(s.dir, 'none');
    mkdirSync(dir);
    expect(() => newestCheckpoint(dir)).toThrow('holds no checkpoint to resume');
    writeFileSync(join(dir, 'checkpoint-3.safetensors'), 'x');
    expect(() => newestCheckpoint(dir)).toThrow(/no checkpoint here is whole: .*checkpoint-3/);
    expect(() => newestCheckpoint(join(dir, 'missing'))).toThrow(InputError);
  });

  test('another safetensors file is not a checkpoint', () => {
    expect(() => readCheckpoint(join(whole.dir, 'vgg16bn.safetensors'))).toThrow(
      'is not a checkpoint of a training run',
    );
  });

  test('leftovers of a killed save are removed', async () => {
    const dir = join(s.dir, 'leftover');
    mkdirSync(dir);
    const leftover = '.tmp-0123456789abcdef';
    writeFileSync(join(dir, leftover), 'half');
    copyFileSync(file(), join(dir, 'checkpoint-4.safetensors'));
    await follow(tinyRun(dir, {}, { resume: newestCheckpoint(dir) }));
    expect(readdirSync(dir)).not.toContain(leftover);
    expectSameEnd(dir);
  });
});

describe('a resumed run that lost something would end otherwise', () => {
  const zeroed = (map: TensorMap): TensorMap =>
    new Map([...map].map(([name, t]): [string, Tensor] => [name, zeros(t.dtype, t.shape)]));
  const scaled = (map: TensorMap): TensorMap =>
    new Map(
      [...map].map(([name, t]): [string, Tensor] =>
        t.dtype === 'float32'
          ? [
              name,
              tensor(
                'float32',
                t.shape,
                t.data.map((x) => x * 1.001),
              ),
            ]
          : [name, t],
      ),
    );
  const losses: readonly (readonly [string, (c: Checkpoint) => Partial<Checkpoint>])[] = [
    ['nothing', () => ({})],
    ['weights', ({ weights }) => ({ weights: scaled(weights) })],
    ['momentum', ({ momenta }) => ({ momenta: zeroed(momenta) })],
    ['SWA average', ({ average }) => ({ average: scaled(average!) })],
    ['SWA count', ({ averaged }) => ({ averaged: averaged - 1 })],
    ['epoch sums', () => ({ sums: { loss: 0, correct: 0 } })],
    ['log rows', ({ rows }) => ({ rows: rows.slice(1) })],
    [
      'generator',
      ({ position }) => ({
        position: { ...position, generator: generatorState(manualSeed(99)) },
      }),
    ],
  ];

  test.each(losses)('%s', async (what, loss) => {
    const dir = join(s.dir, `lost-${what}`);
    // Two models are in the average, and an epoch is under way.
    await follow(tinyRun(dir, {}, { steps: 10 }));
    const { path, checkpoint } = newestCheckpoint(dir);
    expect(checkpoint.averaged).toBe(2);
    const resume = { path, checkpoint: { ...checkpoint, ...loss(checkpoint) } };
    await follow(tinyRun(dir, {}, { resume }));
    const same = finals.every((name) =>
      readFileSync(join(dir, name)).equals(readFileSync(join(whole.dir, name))),
    );
    expect(same).toBe(what === 'nothing');
  });
});

describe('what does not fit the checkpoint is refused', () => {
  const resume = () => newestCheckpoint(whole.dir);

  test('other images', async () => {
    const { train, test: tests } = tinyDataset;
    const images = train.images.slice();
    images[5] ^= 1;
    const dataset = { train: { ...train, images }, test: tests };
    const run = follow(tinyRun(whole.dir, {}, { dataset, resume: resume() }));
    await expect(run).rejects.toThrow(UsageError);
    await expect(run).rejects.toThrow('the run began with other training images');
  });

  test('a model of other shapes', async () => {
    const model = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 32 });
    const run = follow(tinyRun(whole.dir, {}, { model, resume: resume() }));
    await expect(run).rejects.toThrow(InputError);
    await expect(run).rejects.toThrow(/checkpoint-4.*features\.0\.weight is \[4, 3, 3, 3\]/);
  });
});
