import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manualSeed } from '../src/torch/generator.ts';
import { endBy, finish, randomKill, started, weightsIn } from './mpiFaults.ts';
import { mpis } from './support/mpis.ts';
import { scratch } from './trainTinyRun.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

describe('ranks, for a long time (need koffi and an MPI, on Linux)', () => {
  for (const name of ['Open MPI', 'MPICH'] as const) {
    const mpi = mpis.find((one) => one.name === name)!;
    describe.skipIf(mpi === undefined || process.platform !== 'linux')(`by ${name}`, () => {
      const at = (dir: string): string => join(s.dir, name.replace(' ', ''), dir);

      test('60 runs end without a crash, in the same bits', async () => {
        const dir = at('again');
        let first: Buffer | undefined;
        for (let run = 0; run < 60; run++) {
          mkdirSync(dir, { recursive: true });
          await finish(mpi, dir);
          first ??= weightsIn(dir);
          expect(weightsIn(dir).equals(first), `run ${run}`).toBe(true);
          rmSync(dir, { recursive: true });
        }
      });

      test('40 kills at any moment of any rank: the bits of a run never stopped', async () => {
        const whole = at('whole');
        const { code, stderr } = await started(mpi, whole).ended;
        expect(code, stderr).toBe(0);
        const g = manualSeed(40);
        let kills = 0;
        for (let round = 0; kills < 40; round++) {
          const dir = at(`killed-${round}`);
          while (kills < 40 && (await endBy(mpi, dir, randomKill(g))) !== undefined) kills++;
          await finish(mpi, dir);
          expect(weightsIn(dir).equals(weightsIn(whole)), dir).toBe(true);
        }
      });
    });
  }
});
