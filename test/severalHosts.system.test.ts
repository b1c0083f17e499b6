/** `train --distributed` between two hosts, which share nothing but a cable. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mayMakeHosts, type TwoHosts, twoHosts } from './support/hosts.ts';
import { launch, narrowCommand, shortRun, told } from './support/mpiRuns.ts';
import { type Mpi, mpis } from './support/mpis.ts';
import { endedWithin } from './support/standstill.ts';
import { scratch } from './trainTinyRun.ts';

const names = ['Open MPI', 'MPICH'] as const;

/** How each is told of hosts, and by what it starts processes there. */
const placement: Readonly<Record<Mpi['name'], (agent: string) => readonly string[]>> = {
  'Open MPI': (agent) => [
    ...['--host', 'host-a:1,host-b:1', '--mca', 'plm_rsh_agent', agent],
    // It counts cores of two hosts where there are those of one.
    ...['--mca', 'mpi_yield_when_idle', '1'],
  ],
  MPICH: (agent) => ['-launcher', 'rsh', '-launcher-exec', agent, '-hosts', 'host-a,host-b'],
};

/** Milliseconds of a run of seconds, on cores that have much other work. */
const mostMs = 150_000;

const may = mayMakeHosts();
let s: ReturnType<typeof scratch>;
let two: TwoHosts;
beforeAll(async () => {
  s = scratch();
  if (may) two = await twoHosts(s.dir);
});
afterAll(() => {
  two?.close();
  s.remove();
});

describe('two hosts (needs Linux, root, unshare, nsenter, iproute2, koffi and an MPI)', {
  // Longer than all its runs may take, so that what is seen of one that stands still is told.
  timeout: 4 * mostMs,
}, () => {
  for (const name of names) {
    const mpi = mpis.find((one) => one.name === name);

    describe.skipIf(!may || mpi === undefined)(`by ${name}`, () => {
      const slug = name.replace(' ', '');
      const [file, ...flags] = mpi?.start(2) ?? [''];
      /** Starts a rank on each host. */
      const between = (command: readonly string[], words: readonly string[]) => {
        const start = () => [...two.hosts[0].on, file, ...placement[name](two.agent), ...flags];
        const launched = launch({ ...mpi!, start }, 2, [...command, ...words]);
        return endedWithin(launched, mostMs, two.hosts);
      };

      test('train over the cable and go on from where one of them has written, to the bits of one host', async () => {
        const [a, b] = two.hosts;
        const before = two.hosts.map((host) => host.received());
        const dir = join(two.disk, slug);
        for (const part of [shortRun(dir, 2), shortRun(dir, 4, '--resume')]) {
          const { code, stderr } = await between(narrowCommand(), part);
          expect(code, stderr).toBe(0);
        }
        const weights = readFileSync(a.seen(join(dir, 'vgg16bn.safetensors')));
        // Four steps' gradients and twice the state: the cable carried them, not memory that hosts do not share.
        for (const [i, host] of two.hosts.entries()) {
          expect(host.received() - before[i]).toBeGreaterThan((i === 0 ? 3 : 5) * weights.length);
        }
        expect(readdirSync(b.seen(two.disk))).toEqual([]);

        const alone = join(s.dir, `alone-${slug}`);
        const one = await launch(mpi!, 2, [...narrowCommand(), ...shortRun(alone, 4)]).ended;
        expect(one.code, one.stderr).toBe(0);
        expect(weights.equals(readFileSync(join(alone, 'vgg16bn.safetensors')))).toBe(true);
      });

      test('all end in one line that names the host of the rank that failed', async () => {
        const other =
          'if [ "$(hostname)" = host-b ]; then set -- "$@" --backend oracle; fi; exec "$@"';
        const { code, stderr } = await between(
          ['sh', '-c', other, 'sh', ...narrowCommand()],
          shortRun(join(two.disk, `failed-${slug}`), 4),
        );
        expect(code).toBe(2);
        expect(told(stderr)).toEqual([
          expect.stringMatching(/^swa-align: rank 1 of 2 on host-b: gradients are added up in /),
        ]);
      });
    });
  }
});
