/** The standard's ABI in a library that has it, beside that library's own. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, narrowCommand, shortRun } from './support/mpiRuns.ts';
import { mpis } from './support/mpis.ts';
import { scratch } from './trainTinyRun.ts';

/** The standard's name, and Debian's where several are installed beside each other. */
const files = ['libmpi_abi.so.1', 'libmpi_abi_mpich.so.1.0.0', 'libmpi_abi_openmpi.so.1.0.0'];

/** What a library says that it is; empty where there is none. */
const libraryIs = (file: string): string =>
  spawnSync(
    process.execPath,
    [
      '-e',
      `const library = require('koffi').load(${JSON.stringify(file)}, { global: true });
      const text = Buffer.alloc(8192);
      library.func('int MPI_Get_library_version(void *text, _Out_ int *length)')(text, [0]);
      console.log(String(text));`,
    ],
    { encoding: 'utf8' },
  ).stdout;

/** A library of the ABI that this MPI of the machine has. */
const found = (['Open MPI', 'MPICH'] as const).map((name) => ({
  name,
  mpi: mpis.find((mpi) => mpi.name === name),
  file: files.find((file) => libraryIs(file).startsWith(name)),
}));

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

describe('the MPI ABI (needs libmpi_abi.so.1, of MPICH from 5 or Open MPI from 6 on)', () => {
  for (const { name, mpi, file } of found) {
    test.skipIf(mpi === undefined || file === undefined)(
      `of ${name} gives the bits of its own`,
      { timeout: 180_000 },
      async () => {
        const trained = async (dir: string, ...more: string[]) => {
          const words = [...narrowCommand(), ...shortRun(join(s.dir, dir), 4, ...more)];
          const { code, stdout, stderr } = await launch(mpi!, 2, words).ended;
          expect(code, stderr).toBe(0);
          const weights = readFileSync(join(s.dir, dir, 'vgg16bn.safetensors'));
          return { says: stdout.split('\n')[0], weights };
        };
        const own = await trained(`own-${name}`);
        expect(own.says).toMatch(new RegExp(`^${name} v?[\\w.]+, 2 ranks$`));
        const abi = await trained(`abi-${name}`, '--mpi-library', file!);
        expect(abi.says).toMatch(new RegExp(`^${name} v?[\\w.]+ by the MPI ABI, 2 ranks$`));
        expect(abi.weights.equals(own.weights)).toBe(true);
      },
    );
  }
});
