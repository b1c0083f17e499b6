import { hostname } from 'node:os';
import type { Communicator } from './communicator.ts';
import { gatherTexts } from './messages.ts';

/**
 * Which process each rank is, a line a host: launchers name one that died by its number. The same on every rank:
 * `ranks 0 to 2 on node7: processes 4711, 4712, 4713`.
 */
export async function processesOf(comm: Communicator): Promise<string[]> {
  const own = JSON.stringify([hostname(), process.pid]);
  const runs: { host: string; first: number; pids: number[] }[] = [];
  for (const [rank, text] of (await gatherTexts(comm, own)).entries()) {
    const [host, pid] = JSON.parse(text) as [string, number];
    const last = runs.at(-1);
    if (last?.host === host) last.pids.push(pid);
    else runs.push({ host, first: rank, pids: [pid] });
  }
  return runs.map(({ host, first, pids }) =>
    pids.length === 1
      ? `rank ${first} on ${host}: process ${pids[0]}`
      : `ranks ${first} to ${first + pids.length - 1} on ${host}: processes ${pids.join(', ')}`,
  );
}
