/** What ends one rank ends all, soon and in words, and leaves a run that goes on to the same bits. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { manualSeed } from '../src/torch/generator.ts';
import { listCheckpoints, newestCheckpoint } from '../src/train/checkpoint/checkpointFiles.ts';
import { packageVersion } from '../src/version.ts';
import { endBy, finish, mostMs, randomKill, started, weightsIn, written } from './mpiFaults.ts';
import { launch, narrowCommand, outlived, processesOf, shortRun, told } from './support/mpiRuns.ts';
import { mpis } from './support/mpis.ts';
import { scratch } from './trainTinyRun.ts';

let s: ReturnType<typeof scratch>;
beforeAll(() => {
  s = scratch();
});
afterAll(() => s.remove());

describe('faults among ranks (need koffi and an MPI, on Linux)', { timeout: 180_000 }, () => {
  for (const name of ['Open MPI', 'MPICH'] as const) {
    const mpi = mpis.find((one) => one.name === name)!;
    describe.skipIf(mpi === undefined || process.platform !== 'linux')(`by ${name}`, () => {
      const at = (dir: string): string => join(s.dir, name.replace(' ', ''), dir);
      /** Words before a command that give each rank a way of its own to start it. */
      const onRank1 = (change: string): string[] => {
        const script = `if [ "$${mpi.rankVariable}" = 1 ]; then ${change}; fi; exec "$@"`;
        return ['sh', '-c', script, 'sh'];
      };
      let whole: Buffer;

      test('rank 0 alone writes', async () => {
        const own = `mkdir -p '${at('')}'/$${mpi.rankVariable}; cd '${at('')}'/$${mpi.rankVariable}`;
        const flags = shortRun('run', 12, '--save-every-steps', '1');
        const words = ['sh', '-c', `${own}; exec "$@"`, 'sh', ...narrowCommand(), ...flags];
        const { code, stderr } = await launch(mpi, 2, words).ended;
        expect(code, stderr).toBe(0);
        whole = weightsIn(at('0/run'));
        expect(readdirSync(at('1'))).toEqual([]);
      });

      test('a rank killed at any moment', async () => {
        const g = manualSeed(name.length);
        const dir = at('killed');
        for (let kills = 0; kills < 2; kills++) await endBy(mpi, dir, randomKill(g));
        await finish(mpi, dir);
        expect(weightsIn(dir).equals(whole)).toBe(true);
      });

      test('Ctrl-C to mpirun', async () => {
        const dir = at('interrupted');
        const fault = { to: 'launcher', by: 'SIGINT', after: 1, delayMs: 0 } as const;
        const said = await endBy(mpi, dir, fault);
        const stopping =
          'swa-align: stopping after this step, with a checkpoint; once more stops at once';
        // Open MPI's mpirun kills its processes a second later, and drops what they have said.
        if (name === 'MPICH') expect(said).toEqual([stopping]);
        else expect([[stopping], []]).toContainEqual(said);
        await finish(mpi, dir);
        expect(weightsIn(dir).equals(whole)).toBe(true);
      });

      test('a second launch is refused, and a signal to any rank stops the first', async () => {
        const dir = at('shared');
        const endless = shortRun(dir, 100_000, '--save-every-steps', '100000');
        const first = launch(mpi, 2, [...narrowCommand(), ...endless]);
        const pids = await processesOf(first);
        await written(first, dir, 1);
        const second = await started(mpi, dir).ended;
        expect(second.code).toBe(2);
        expect(told(second.stderr)).toEqual([
          expect.stringMatching(
            /shared: another run is writing here \(process \d+ on .*\); wait until it has ended, or give another --dir$/,
          ),
        ]);
        process.kill(pids[1], 'SIGTERM');
        expect(await outlived(pids, mostMs)).toEqual([]);
        expect(told((await first.ended).stderr)).toContain(
          'swa-align: rank 1 was asked to stop by SIGTERM: stopping after this step, with a checkpoint',
        );
        const [newest, begin] = listCheckpoints(dir);
        expect(newest.path).toMatch(/step-\d+\.safetensors$|checkpoint-[1-9]/);
        expect(begin.path).toMatch(/checkpoint-0\.safetensors$/);
      });

      test('a full disk under rank 0 (needs the right to mount)', async (context) => {
        const dir = at('full');
        mkdirSync(dir, { recursive: true });
        const mount = (options: string): boolean =>
          spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'swa-align-full', dir]).status === 0;
        if (!mount('size=1100k')) return context.skip();
        try {
          const run = started(mpi, dir);
          const pids = await processesOf(run);
          const { code, stderr } = await run.ended;
          expect(code, stderr).toBe(2);
          expect(await outlived(pids, mostMs)).toEqual([]);
          expect(told(stderr)).toEqual([
            expect.stringMatching(
              /^swa-align: rank 0 of 2 on \S+: \S+: no space left on the disk; free some space and try again$/,
            ),
          ]);
          expect(newestCheckpoint(dir).skipped).toEqual([]);
          mount('remount,size=100m');
          await finish(mpi, dir);
          expect(weightsIn(dir).equals(whole)).toBe(true);
        } finally {
          spawnSync('umount', [dir]);
        }
      });

      test('a rank of another version', async () => {
        const other = at('other-version');
        cpSync(inject('compiled'), other, { recursive: true, verbatimSymlinks: true });
        const file = join(other, 'src', 'version.js');
        writeFileSync(file, `export const packageVersion = '${packageVersion}-other';\n`);
        const [node, script] = narrowCommand();
        const theirs = script.replace(inject('compiled'), other);
        const words = [...onRank1(`shift 2; set -- '${node}' '${theirs}' "$@"`), node, script];
        const dir = at('versions');
        const { code, stderr } = await launch(mpi, 2, [...words, ...shortRun(dir, 1)]).ended;
        expect(code).toBe(2);
        expect(told(stderr)).toEqual([
          expect.stringMatching(
            /^swa-align: rank 1 of 2 on \S+: has not rank 0's version of swa-align; start all ranks with the same package and data$/,
          ),
        ]);
        expect(listCheckpoints(dir)).toEqual([]);
        rmSync(other, { recursive: true });
      });
    });
  }
});
