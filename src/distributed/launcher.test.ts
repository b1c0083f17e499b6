import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { launchOf } from './launcher.ts';

describe('who started this process as one of several', () => {
  test.each([
    [
      'Open MPI',
      { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '1' },
      1,
      4,
      'openmpi',
    ],
    ['MPICH', { PMI_RANK: '0', PMI_SIZE: '2' }, 0, 2, 'mpich'],
    ['MPICH with -pmi-port', { PMI_ID: '3', PMI_PORT: 'h:1' }, 3, undefined, 'mpich'],
    ['Slurm', { SLURM_PROCID: '5', SLURM_NTASKS: '8', PMIX_RANK: '5' }, 5, 8, undefined],
    ['another by PMIx', { PMIX_RANK: '2' }, 2, undefined, undefined],
  ])('%s', (_, env, rank, size, abi) => {
    expect(launchOf(env)).toMatchObject({ rank, size, abi });
  });

  test('nobody', () => {
    expect(() => launchOf({ PATH: '/bin' })).toThrow(UsageError);
    expect(() => launchOf({})).toThrow(/put mpirun -np 2 .* before the command/);
  });

  test('MPICH, by a program that lost its connection', () => {
    // No process has as many files open.
    const env = { PMI_RANK: '0', PMI_SIZE: '2', PMI_FD: '999999' };
    expect(() => launchOf(env)).toThrow(/connection .* was closed .*give mpirun -pmi-port/);
  });
});
