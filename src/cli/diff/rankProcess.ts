/** What each process does that `ranksByMpi` starts: one rank's part of stage `ddp`, left in a directory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openReference } from '../../align/reference/reference.ts';
import { findingsOfRank } from '../../align/stages/ddp/findingsOfRank.ts';
import { openOnDevice } from '../../backends/choose.ts';
import { nameOf } from '../../distributed/agree.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { openMpi } from '../../distributed/mpi/openMpi.ts';
import { writeNpz } from '../../io/numpy/npz.ts';
import { reportFailure } from '../failure.ts';
import { type RankCall, type RankFacts, rankFiles } from './rankFiles.ts';

async function makePart(comm: Communicator, call: RankCall): Promise<void> {
  const { rank, description } = comm;
  const put = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(call.directory, name), content);
  put(rankFiles.began(rank), '');
  const backend = await openOnDevice(call.backend, call.options);
  const { recording, problem } = await findingsOfRank(backend, openReference(call.reference), comm);
  put(rankFiles.recording(rank), writeNpz(recording));
  const by = description.replace(/, \d+ ranks$/, '');
  const facts: RankFacts = { by, ...(problem !== undefined && { problem }) };
  put(rankFiles.facts(rank), JSON.stringify(facts));
  await backend.close?.();
  await comm.close();
}

const call: RankCall = JSON.parse(process.argv[2]);
let comm: Communicator | undefined;
try {
  comm = await openMpi();
  await makePart(comm, call);
} catch (error) {
  const who = comm === undefined ? '' : `: ${nameOf(comm)}`;
  process.exitCode = reportFailure(`swa-align${who}`, error);
  // The launcher reads what was written before it ends all.
  await setTimeout(500);
  comm?.abort(process.exitCode);
}
