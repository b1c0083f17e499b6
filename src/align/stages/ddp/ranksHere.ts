import type { Backend, Executable } from '../../../backends/backend.ts';
import { compilingOnce } from '../../../backends/compilingOnce.ts';
import { ranksInProcess } from '../../../distributed/ranksInProcess.ts';
import type { Reference } from '../../reference/reference.ts';
import { findingsOfRank } from './findingsOfRank.ts';
import type { RanksRan } from './ranks.ts';

/** All ranks in this process, over the stand-in of an MPI. */
export async function ranksHere(
  backend: Backend,
  reference: Reference,
  size: number,
): Promise<RanksRan> {
  const executables: Executable[] = [];
  const compiling = compilingOnce({
    ...backend,
    async compile(program, fetches) {
      const executable = await backend.compile(program, fetches);
      executables.push(executable);
      return executable;
    },
  });
  try {
    const comms = ranksInProcess(size);
    const findings = await Promise.all(
      comms.map((comm) => findingsOfRank(compiling, reference, comm)),
    );
    return { findings, where: 'in one process' };
  } finally {
    for (const executable of executables) await executable.dispose();
  }
}
