/** What ranks share, against torch.distributed itself: to the bit. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../test/support/draws.ts';
import { readNpy, writeNpy } from '../io/numpy/npy.ts';
import { tensor, toFloat32 } from '../tensor/tensor.ts';
import { distributedOrder } from '../torch/distributedSampler.ts';
import { meanOverRanks } from './reduce.ts';
import { ranksInProcess } from './testdata/ranksInProcess.ts';

const python = (script: string, ...args: readonly (string | number)[]): string =>
  execFileSync(
    'python3',
    [fileURLToPath(new URL(`testdata/${script}`, import.meta.url)), ...args.map(String)],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
const hasTorch =
  spawnSync('python3', ['-c', 'import torch.distributed as d; assert d.is_gloo_available()'])
    .status === 0;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Parameters of nets: less than a chunk a rank, a few bytes beside the borders of 1 MiB, several segments. */
const nets = [
  [1],
  [2, 3],
  [7, 1],
  [1000, 24, 1],
  [70_001],
  [262_143, 1],
  [262_145, 3],
  [1_000_000, 300_000, 77],
];

describe.skipIf(!hasTorch)('in PyTorch (needs torch.distributed with gloo)', () => {
  test.each([2, 3, 4])(
    'the mean of gradients on %i ranks is DistributedDataParallel’s',
    async (ranks) => {
      const sizes = nets.flatMap((net) => [0, 1, 2].map((i) => BigInt(net[i] ?? 0)));
      const put = (name: string, t: Parameters<typeof writeNpy>[0]) =>
        writeFileSync(join(dir, name), writeNpy(t));
      put('sizes.npy', tensor('int64', [nets.length, 3], BigInt64Array.from(sizes)));
      const random = seeded(ranks);
      const own = nets.map((net) => {
        const count = net.reduce((a, b) => a + b);
        return Array.from({ length: ranks }, () =>
          // Of many magnitudes, so that the order of the sum shows.
          Float32Array.from({ length: count }, () => (random() - 0.5) * 10 ** (6 * random() - 3)),
        );
      });
      for (const [net, all] of own.entries()) {
        for (const [rank, data] of all.entries()) {
          put(`own_${net}_${rank}.npy`, tensor('float32', [data.length], data));
        }
      }
      python('mean_by_ddp.py', dir, ranks);

      const comms = ranksInProcess(ranks);
      for (const [net, all] of own.entries()) {
        const theirs = toFloat32(readNpy(readFileSync(join(dir, `mean_${net}.npy`)), 'mean'));
        const means = await Promise.all(
          comms.map((comm, r) => meanOverRanks(comm, all[r], 'exact')),
        );
        for (const ours of means) {
          expect(
            Buffer.from(ours.buffer).equals(Buffer.from(theirs.slice().buffer)),
            `net ${net}`,
          ).toBe(true);
        }
        // What would be seen were the order another one.
        const plain = (
          await Promise.all(comms.map((comm, r) => meanOverRanks(comm, all[r], 'fast')))
        )[0];
        const differ = plain.filter((value, i) => value !== theirs[i]).length;
        if (ranks === 2) expect(differ).toBe(0);
        else if (plain.length > 1000) expect(differ).toBeGreaterThan(plain.length / 50);
      }
    },
  );

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
