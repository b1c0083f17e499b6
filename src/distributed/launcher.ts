import { fstatSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import type { AbiName } from './mpi/abi.ts';

/** What the environment says of whoever started this process as one of several. */
export interface Launch {
  readonly by: string;
  /** How many were started; undefined where the launcher leaves that to the library. */
  readonly size: number | undefined;
  readonly rank: number | undefined;
  /** Whose library fits, where the launcher is of one family. */
  readonly abi: AbiName | undefined;
}

interface Launcher {
  readonly by: string;
  readonly rank: string;
  readonly size?: string;
  readonly abi?: AbiName;
}

/** By the variables that they set for each process; the first that fits counts. */
const launchers: readonly Launcher[] = [
  {
    by: "Open MPI's mpirun",
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    abi: 'openmpi',
  },
  { by: "MPICH's mpirun", rank: 'PMI_RANK', size: 'PMI_SIZE', abi: 'mpich' },
  { by: "MPICH's mpirun", rank: 'PMI_ID', abi: 'mpich' }, // with -pmi-port
  { by: 'srun', rank: 'SLURM_PROCID', size: 'SLURM_NTASKS' },
  { by: 'a PMIx launcher', rank: 'PMIX_RANK' },
];

const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** Whether a number that MPICH's mpirun gave stands for its connection; npx and npm start programs without it. */
function isConnection(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

/** Who started this process as one of several. Throws UsageError where nobody did, or lost the way back to it. */
export function launchOf(env: NodeJS.ProcessEnv): Launch {
  const launcher = launchers.find(({ rank }) => env[rank] !== undefined);
  if (launcher === undefined) {
    throw new UsageError('--distributed trains in processes that an MPI launcher starts', {
      fix: 'put mpirun -np 2 (or srun --mpi=pmix) before the command',
    });
  }
  const { by, rank, size, abi } = launcher;
  const connection = rank === 'PMI_RANK' ? numberIn(env.PMI_FD) : undefined;
  if (connection !== undefined && !isConnection(connection)) {
    throw new UsageError(`the connection to ${by} was closed on the way, as npx and npm do`, {
      fix: 'give mpirun -pmi-port, or start node_modules/.bin/swa-align itself',
    });
  }
  return {
    by,
    rank: numberIn(env[rank]),
    size: size === undefined ? undefined : numberIn(env[size]),
    abi,
  };
}
