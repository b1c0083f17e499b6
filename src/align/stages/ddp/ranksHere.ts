import type { Backend } from '../../../backends/backend.ts';
import { compilingOnce } from '../../../backends/compilingOnce.ts';
import { releasing } from '../../../backends/holding.ts';
import { ranksInProcess } from '../../../distributed/ranksInProcess.ts';
import type { Reference } from '../../reference/reference.ts';
import { findingsOfRank } from './findingsOfRank.ts';
import type { RanksRan } from './ranks.ts';

/** All ranks in this process, over the stand-in of an MPI. */
export const ranksHere = (
  backend: Backend,
  reference: Reference,
  size: number,
): Promise<RanksRan> =>
  releasing(async (on) => {
    const compiling = compilingOnce({ ...backend, compile: on(backend).compile });
    const comms = ranksInProcess(size);
    const findings = await Promise.all(
      comms.map((comm) => findingsOfRank(compiling, reference, comm)),
    );
    return { findings, where: 'in one process' };
  });
