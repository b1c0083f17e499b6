/** `bench --distributed`: that it times what it says, on both sides. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ourCommand, runProcess } from '../src/cli/testdata/commandProcess.ts';
import { vgg } from '../src/nn/models/vgg.ts';
import { sizeOf } from '../src/tensor/shape.ts';
import { mpiEnv, mpis } from './support/mpis.ts';
import { hasGloo } from './support/pythons.ts';
import { scratch } from './trainTinyRun.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

const bench = (...more: readonly string[]) => {
  const flags = 'bench --distributed --model vgg16bn --narrow 16 --batch-size 2 --threads 2';
  const turns = '--ranks 2 --runs 2 --warmup 0';
  return runProcess([...ourCommand, ...`${flags} ${turns}`.split(' '), ...more], { env: mpiEnv });
};

const { state } = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });
const bytesOf = (wanted: 'parameter' | 'buffer'): number =>
  state
    .filter(({ role }) => role === wanted)
    .reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);

describe('bench --distributed (needs koffi and Open MPI or MPICH)', { timeout: 180_000 }, () => {
  const cases = [
    { peer: 'alone', may: true, flags: [] },
    { peer: 'beside torchrun (needs PyTorch)', may: hasGloo(), flags: ['--peer', 'torch'] },
  ];
  for (const { peer, may, flags } of cases) {
    test.skipIf(mpis.length === 0 || !may)(`ours ${peer}`, async () => {
      const mpi = mpis.at(-1)!;
      const json = join(s.dir, `${flags.length}.json`);
      const { code, stdout, stderr } = await bench(
        ...flags,
        ...['--mpirun', mpi.start(2)[0], '--json', json],
      );
      expect(code, stderr).toBe(0);
      const who = flags.length === 0 ? ['ours'] : ['ours', 'PyTorch'];
      const rows = stdout.split('\n').filter((line) => line.startsWith('| 2 '));
      expect(rows.map((row) => row.split('|')[2].trim())).toEqual(who);
      const [{ batch, sides }] = JSON.parse(readFileSync(json, 'utf8')).timings;
      expect(batch).toBe(2);
      for (const { among, apart, mean } of sides) {
        for (const { times } of [among, apart, mean]) {
          expect(times).toHaveLength(2);
          for (const time of times) expect(time).toBeGreaterThan(0);
        }
      }
      // A step hands over its gradients, the buffers of batch norm, five signs and three words.
      const signs = 8 * (5 + 3);
      expect(sides[0].exchanged.bytes).toBe(bytesOf('parameter') + bytesOf('buffer') + signs);
    });
  }

  test('a launcher that does not exist is told in one line', async () => {
    const { code, stderr } = await bench('--mpirun', 'no-such-launcher');
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(
      /^swa-align: --mpirun no-such-launcher: does not start: .*; install Open MPI or MPICH, or name its mpirun$/,
    );
  });
});
