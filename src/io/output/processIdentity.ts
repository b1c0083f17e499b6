import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names the machine, its boot and the namespace in which this process's pid means something: elsewhere the
 * same number is another process. Undefined where the system does not tell.
 */
export function processesHere(): string | undefined {
  if (process.platform === 'darwin') return hostname();
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

/** Linux: clock ticks from boot to the process's start (proc(5), /proc/pid/stat, field 22). */
function startByProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name may hold spaces and brackets; fields are counted behind it.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return isGone(state) ? undefined : fields[18];
}

/** Elsewhere: ps, as POSIX and BSD have it. */
function startByPs(pid: number): string | undefined {
  const { stdout, error } = spawnSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error !== undefined) throw error;
  const [state, ...start] = stdout.trim().split(/\s+/);
  return state === '' || isGone(state) ? undefined : start.join(' ');
}

/** Ended, and kept only until its parent asks how. */
const isGone = (state: string): boolean => /^[ZX]/.test(state);

/**
 * When a process began: with its pid it names it for good, as pids are used again. Undefined when there is
 * no such process, `hidden` when there may be one that this user is not shown.
 */
export function processStart(pid: number): string | 'hidden' | undefined {
  try {
    return process.platform === 'linux' ? startByProc(pid) : startByPs(pid);
  } catch {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
    }
    return 'hidden';
  }
}
