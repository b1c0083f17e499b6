/** What ranks share, against torch.distributed itself: to the bit. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../test/support/draws.ts';
import { hasGloo } from '../../test/support/pythons.ts';
import { fixturesDirectory } from '../fixtures.ts';
import { readNpy, writeNpy } from '../io/numpy/npy.ts';
import { models } from '../nn/models/index.ts';
import { gradientArrival } from '../program/gradientArrival.ts';
import { tensor, toFloat32 } from '../tensor/tensor.ts';
import { distributedOrder } from '../torch/distributedSampler.ts';
import { flat, meanOfGradients, unflat } from '../train/loop/meanOfGradients.ts';
import { bucketsOf } from './buckets.ts';
import type { Communicator } from './communicator.ts';
import { ranksInProcess } from './ranksInProcess.ts';
import { meanOverRanks } from './reduce.ts';

const python = (script: string, ...args: readonly (string | number)[]): string =>
  execFileSync(
    'python3',
    [fileURLToPath(new URL(`testdata/${script}`, import.meta.url)), ...args.map(String)],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Parameters of nets: less than a chunk a rank, a few bytes beside the borders of 1 MiB and 25 MiB, several segments. */
const nets = [
  [1],
  [2, 3],
  [7, 1],
  [1000, 24, 1],
  [70_001],
  [262_143, 1],
  [262_145, 3],
  [300_000, 262_143],
  [1_000_000, 300_000, 77],
  [30, 6_553_599, 1, 262_144],
];
const mostParameters = Math.max(...nets.map((net) => net.length));

describe.skipIf(!hasGloo())('in PyTorch (needs torch.distributed with gloo)', () => {
  test.each([2, 3, 4])(
    'the mean of gradients on %i ranks is DistributedDataParallel’s in each of three steps',
    async (ranks) => {
      const sizes = nets.flatMap((net) =>
        Array.from({ length: mostParameters }, (_, i) => BigInt(net[i] ?? 0)),
      );
      const put = (name: string, t: Parameters<typeof writeNpy>[0]) =>
        writeFileSync(join(dir, name), writeNpy(t));
      const shape = [nets.length, mostParameters];
      put('sizes.npy', tensor('int64', shape, BigInt64Array.from(sizes)));
      const random = seeded(ranks);
      const own = nets.map((net) => {
        const count = net.reduce((a, b) => a + b);
        return Array.from({ length: ranks }, () =>
          // Of many magnitudes, so that the order of the sum shows.
          Float32Array.from({ length: count }, () => (random() - 0.5) * 2 ** (20 * random())),
        );
      });
      for (const [net, all] of own.entries()) {
        for (const [rank, data] of all.entries()) {
          put(`own_${net}_${rank}.npy`, tensor('float32', [data.length], data));
        }
      }
      python('mean_by_ddp.py', dir, ranks);

      const comms = ranksInProcess(ranks);
      const firstOf = async (of: (comm: Communicator) => Promise<Float32Array>) => {
        const [first, ...others] = await Promise.all(comms.map(of));
        for (const other of others) expect(sameBits(other, first)).toBe(true);
        return first;
      };
      for (const [net, all] of own.entries()) {
        const gradients = nets[net].map((count, i) => ({ name: `${i}`, count }));
        // The parameter that was used last is the first whose gradient arrives.
        const arriving = [...gradients].reverse();
        const plain = await firstOf((comm) => meanOverRanks(comm, all[comm.rank].slice(), 'fast'));
        for (let step = 0; step < 3; step++) {
          const file = join(dir, `mean_${net}_${step}.npy`);
          const theirs = toFloat32(readNpy(readFileSync(file), 'mean')).slice();
          const buckets = bucketsOf(step, gradients, arriving);
          const names = gradients.map(({ name }) => name);
          const ours = await firstOf(async (comm) => {
            const given = unflat(
              all[comm.rank].slice(),
              gradients.map(({ name, count }) => [name, [count]]),
            );
            return flat(await meanOfGradients(comm, given, buckets, 'exact'), names);
          });
          expect(sameBits(ours, theirs), `net ${net}, step ${step}`).toBe(true);
          // What would be seen were the order another one.
          const differ = plain.filter((value, i) => value !== theirs[i]).length;
          if (ranks === 2) expect(differ).toBe(0);
          else if (plain.length > 1000) expect(differ).toBeGreaterThan(plain.length / 50);
        }
      }
    },
    300_000,
  );

  test('gradients of our networks arrive in PyTorch’s order', () => {
    const theirs = JSON.parse(python('arrival_in_torch.py', fixturesDirectory));
    for (const [name, { build }] of Object.entries(models)) {
      expect(gradientArrival(build(10)), name).toEqual(theirs[name]);
    }
    expect(Object.keys(theirs)).toEqual(Object.keys(models));
  });

  test('the samples of every rank are DistributedSampler’s, epoch by epoch', () => {
    const cases = [
      [50_000, 4, 1, 2],
      [23, 2, 7, 3],
      [24, 3, 0, 3],
      [10, 7, 123, 2],
      [2, 5, 9, 2],
      [1, 3, 2 ** 40, 1],
    ];
    const theirs = JSON.parse(python('sampler_in_torch.py', ...cases.flat()));
    for (const [k, [count, size, seed, epochs]] of cases.entries()) {
      const ours = Array.from({ length: epochs }, (_, epoch) =>
        Array.from({ length: size }, (_, rank) =>
          Array.from(distributedOrder(count, { rank, size, seed: BigInt(seed) }, epoch)),
        ),
      );
      expect(ours, `${count} samples on ${size} ranks`).toEqual(theirs[k]);
    }
  });
});
