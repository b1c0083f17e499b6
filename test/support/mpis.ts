import { spawnSync } from 'node:child_process';
import { hasKoffi } from '../../src/native/koffi.ts';

/** An MPI launcher of this machine. */
export interface Mpi {
  readonly name: 'Open MPI' | 'MPICH';
  /** Starts so many processes of the command that follows. */
  readonly start: (ranks: number) => readonly string[];
  /** The variable in which a process finds its rank. */
  readonly rankVariable: string;
}

/** Root may, and on fewer cores than ranks. */
export const mpiEnv = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

const saysOf = (launcher: string): string => {
  const { stdout, stderr } = spawnSync(launcher, ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, ...mpiEnv },
  });
  return `${stdout}${stderr}`;
};

/** Debian has them beside each other under names of their own; elsewhere there is one mpirun. */
const found = (launchers: readonly string[], says: RegExp): string | undefined =>
  hasKoffi() ? launchers.find((launcher) => says.test(saysOf(launcher))) : undefined;

const openMpi = found(['mpirun.openmpi', 'mpirun'], /Open MPI/);
const mpich = found(['mpirun.mpich', 'mpirun'], /HYDRA|MPICH/i);

/** Those that can be called: none without the optional package koffi. */
export const mpis: readonly Mpi[] = [
  ...(openMpi === undefined
    ? []
    : [
        {
          name: 'Open MPI' as const,
          start: (n: number) => [openMpi, '--oversubscribe', '-np', String(n)],
          rankVariable: 'OMPI_COMM_WORLD_RANK',
        },
      ]),
  ...(mpich === undefined
    ? []
    : [
        {
          name: 'MPICH' as const,
          start: (n: number) => [mpich, '-np', String(n)],
          rankVariable: 'PMI_RANK',
        },
      ]),
];
