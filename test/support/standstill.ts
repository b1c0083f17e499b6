/** What is seen of a run between hosts that stands still. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Host } from './hosts.ts';
import { type Launched, signal } from './mpiRuns.ts';

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

const netOf = (pid: string): string => attempt(() => readlinkSync(`/proc/${pid}/ns/net`));

/** The processes of a host, but for the one that it lives by. */
function processesOn({ on }: Host): string[] {
  const own = on[on.indexOf('-t') + 1];
  const net = netOf(own);
  if (net === '') return [];
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && pid !== own && netOf(pid) === net,
  );
}

function said([file, ...argv]: readonly string[]): string {
  const { stdout } = spawnSync(file, argv, { encoding: 'utf8', timeout: 60_000 });
  return stdout ?? '';
}

/** Where a process's threads wait: in which functions, where there is gdb, and else in which call of Linux. */
function threadsOf(pid: string): string {
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  const stacks = said(['gdb', '-p', pid, '-batch', '-ex', 'thread apply all bt 12'])
    .split('\n')
    .filter((line) => /^(Thread|#)/.test(line));
  const waits = (): string[] =>
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const of = (name: string): string =>
        attempt(() => readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'utf8'));
      return `${thread} ${of('comm')}: ${of('wchan')}`;
    });
  const seen = stacks.length > 0 ? stacks.join('\n') : attempt(() => waits().join('\n'));
  return `process ${pid}: ${words.slice(0, 200)}\n${seen}`;
}

/** Sockets, addresses and threads of each host. */
const seenOn = (host: Host): string =>
  [
    `== ${host.name}`,
    said([...host.on, 'ss', '-tnpi']),
    said([...host.on, 'ip', 'address']),
    ...processesOn(host).map(threadsOf),
  ].join('\n');

/** A run's end; where it has not come by then, ends it and throws with what was seen of it. */
export async function endedWithin(
  { ended, said: told }: Launched,
  mostMs: number,
  hosts: readonly Host[],
): ReturnType<() => Launched['ended']> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), mostMs);
  });
  const found = await Promise.race([ended, late]);
  clearTimeout(timer);
  if (found !== undefined) return found;
  const seen = hosts.map(seenOn).join('\n');
  for (const pid of hosts.flatMap(processesOn)) signal(Number(pid), 'SIGKILL');
  throw new Error(`stood still for ${mostMs / 1000} s after\n${told()}\n${seen}`);
}
