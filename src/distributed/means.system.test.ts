import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { launch } from '../../test/support/mpiRuns.ts';
import { mpis } from '../../test/support/mpis.ts';

interface Told {
  readonly rank: number;
  readonly size: number;
  readonly means: readonly { readonly sha256: string; readonly worst: number }[];
}

const program = join(...[inject('compiled'), 'src', 'distributed', 'testdata', 'meansOfRanks.js']);

describe.skipIf(mpis.length === 0 || process.platform !== 'linux')(
  'the mean over ranks by a real MPI (needs koffi and Open MPI or MPICH, on Linux)',
  () => {
    // More ranks than cores here; an odd number, which libraries add up in another order.
    test.each(mpis.flatMap((mpi) => [2, 3, 4].map((ranks) => ({ name: mpi.name, ranks, mpi }))))(
      'is the same to the bit on each of $ranks, by $name',
      async ({ mpi, ranks }) => {
        const { code, stdout, stderr } = await launch(mpi, ranks, [process.execPath, program])
          .ended;
        expect(code, stderr).toBe(0);
        const told = stdout
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as Told)
          .sort((a, b) => a.rank - b.rank);
        expect(told.map(({ rank, size }) => [rank, size])).toEqual(
          Array.from({ length: ranks }, (_, rank) => [rank, ranks]),
        );
        for (const { means } of told) expect(means).toEqual(told[0].means);
        // Numbers up to 1, each rounded, then as many sums: half an ulp each at most.
        for (const { worst } of told[0].means) expect(worst).toBeLessThan(ranks * 2 ** -24);
      },
    );
  },
);
