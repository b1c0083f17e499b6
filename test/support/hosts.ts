/**
 * Hosts of a test on one Linux machine: each has an address, a name, a disk and shared memory of its own, and is
 * reached from the others by a cable alone. They end with this process at the latest.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface Host {
  readonly name: string;
  /** Words that run what follows them on this host. */
  readonly on: readonly string[];
  /** A directory as this host sees it, as everybody does. */
  readonly seen: (path: string) => string;
  /** Bytes that have come in over the cable. */
  received(): number;
}

export interface TwoHosts {
  readonly hosts: readonly [Host, Host];
  /** What starts a command on a host, called as rsh is. */
  readonly agent: string;
  /** An empty directory on each, not shared. */
  readonly disk: string;
  close(): void;
}

const run = ([file, ...argv]: readonly string[]): boolean => spawnSync(file, argv).status === 0;

/** Whether this process may make hosts: it takes root's rights and the commands of util-linux and iproute2. */
export const mayMakeHosts = (): boolean =>
  process.platform === 'linux' &&
  run(['unshare', '--net', '--uts', '--mount', '--ipc', 'ip', 'link', 'set', 'lo', 'up']) &&
  run(['nsenter', '--version']);

const names = ['host-a', 'host-b'] as const;
/** Addresses that nobody has (RFC 5737). */
const address = (i: number): string => `192.0.2.${i + 1}`;

/** Lives until its standard input ends. */
const hostScript = `
set -e
hostname "$1"
mount --bind "$2/hosts" /etc/hosts
mount -t sysfs sys /sys
mount -t tmpfs disk "$2/disk"
mount -t tmpfs shm /dev/shm
ip link set lo up
echo up
exec cat`;

const agentScript = (dir: string): string => `#!/bin/sh
host=$1
shift
exec nsenter -t "$(cat '${dir}'/"$host")" -n -u -m -i -- sh -c "$*"
`;

const isUp = (child: ChildProcess): Promise<void> =>
  new Promise((done, fail) => {
    let said = '';
    child.stderr?.on('data', (text) => {
      said += String(text);
    });
    child.stdout?.once('data', () => done());
    child.once('close', () => fail(new Error(`a host ended: ${said}`)));
  });

/**
 * Waits until the cable is in use at both ends. Linux looks after new cables once a second, of all hosts together; until
 * it has, one that is plugged in carries nothing, and UCX takes the host for one without a network.
 */
async function cabled(hosts: readonly Host[], mostMs = 30_000): Promise<void> {
  const state = ({ seen }: Host): string =>
    readFileSync(seen('/sys/class/net/cable/operstate'), 'utf8').trim();
  const end = performance.now() + mostMs;
  while (!hosts.every((host) => state(host) === 'up')) {
    if (performance.now() > end) throw new Error(`the cable is ${hosts.map(state).join(' and ')}`);
    await pause(10);
  }
}

/** Two hosts with a cable between, whose files lie in `dir`. */
export async function twoHosts(dir: string): Promise<TwoHosts> {
  const disk = join(dir, 'disk');
  const agent = join(dir, 'agent');
  mkdirSync(disk, { recursive: true });
  const lines = names.map((name, i) => `${address(i)} ${name}\n`);
  writeFileSync(join(dir, 'hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
  writeFileSync(agent, agentScript(dir));
  chmodSync(agent, 0o755);
  const made = names.map((name) => {
    const flags = ['--net', '--uts', '--mount', '--ipc', 'sh', '-c', hostScript, 'sh', name, dir];
    return spawn('unshare', flags, { stdio: 'pipe' });
  });
  const close = (): void => {
    for (const child of made) child.stdin?.end();
  };
  try {
    await Promise.all(made.map(isUp));
    const pids = made.map(({ pid }) => String(pid));
    const must = (words: string[]): void => {
      if (!run(words)) throw new Error(`failed: ${words.join(' ')}`);
    };
    const end = (i: number): string[] => ['cable', 'netns', pids[i]];
    must(['ip', 'link', 'add', ...end(0), 'type', 'veth', 'peer', 'name', ...end(1)]);
    const hosts = pids.map((pid, i): Host => {
      const on = ['nsenter', '-t', pid, '-n', '-u', '-m', '-i', '--'];
      must([...on, 'ip', 'address', 'add', `${address(i)}/24`, 'dev', 'cable']);
      must([...on, 'ip', 'link', 'set', 'cable', 'up']);
      writeFileSync(join(dir, names[i]), pid);
      const seen = (path: string): string => `/proc/${pid}/root${path}`;
      return {
        name: names[i],
        on,
        seen,
        received: () =>
          Number(readFileSync(seen('/sys/class/net/cable/statistics/rx_bytes'), 'utf8')),
      };
    });
    await cabled(hosts);
    return { hosts: [hosts[0], hosts[1]], agent, disk, close };
  } catch (error) {
    close();
    throw error;
  }
}
