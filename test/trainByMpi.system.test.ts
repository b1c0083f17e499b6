/** `train --distributed` in processes that the MPIs of this machine start. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ourCommand } from '../src/cli/testdata/commandProcess.ts';
import { cifar10 } from '../src/data/cifar.ts';
import { listCheckpoints, newestCheckpoint } from '../src/train/checkpoint/checkpointFiles.ts';
import { launch, narrowCommand, told } from './support/mpiRuns.ts';
import { type Mpi, mpis } from './support/mpis.ts';
import { scratch } from './trainTinyRun.ts';

let s: ReturnType<typeof scratch>;
const at = (name: string): string => join(s.dir, name);

/** CIFAR-10 with so many images a file, of five files to train on and one to test. */
function imagesIn(dir: string, count: number, factor: number): void {
  const folder = join(dir, cifar10.folder);
  mkdirSync(folder, { recursive: true });
  for (const [n, name] of [...cifar10.files.train, ...cifar10.files.test].entries()) {
    const byte = (_: unknown, i: number) => (i % 3073 === 0 ? n : i * factor + n) & 255;
    writeFileSync(join(folder, name), Uint8Array.from({ length: count * 3073 }, byte));
  }
}

beforeAll(() => {
  s = scratch();
  // Forty steps on two ranks, each with its checkpoint: time enough to kill one amid them.
  imagesIn(at('data'), 16, 7);
  imagesIn(at('other'), 16, 11);
  imagesIn(at('few'), 2, 7);
});
afterAll(() => s.remove());

const flagsOf = (dir: string, ...more: readonly string[]): string[] => [
  'train',
  '--distributed',
  ...['--data-path', at('data'), '--dir', at(dir), '--no-report', '--threads', '1'],
  ...['--model', 'vgg16bn', '--batch-size', '2', '--epochs', '2', '--swa', '--swa-start', '2'],
  ...more,
];

const ends = ['checkpoint-2.safetensors', 'vgg16bn.safetensors', 'vgg16bn-swa.safetensors'];

const endsOf = (dir: string): Buffer[] => ends.map((name) => readFileSync(join(at(dir), name)));

const expectSame = (dir: string, whole: string): void => {
  for (const [i, bytes] of endsOf(dir).entries()) {
    expect(bytes.equals(endsOf(whole)[i]), `${ends[i]} of ${dir}`).toBe(true);
  }
};

describe.skipIf(mpis.length === 0 || process.platform !== 'linux')(
  'processes that an MPI starts (needs koffi and Open MPI or MPICH, on Linux)',
  { timeout: 180_000 },
  () => {
    const launched = (mpi: Mpi, ranks: number, words: readonly string[]) =>
      launch(mpi, ranks, [...narrowCommand(), ...words]).ended;

    describe.each(mpis)('by $name', (mpi) => {
      const slug = mpi.name.replace(' ', '');

      // The command itself, with gradients as large as they are; what follows is of narrow networks.
      test('train together: one writes and prints', async () => {
        const own = ['--data-path', at('few'), '--batch-size', '5'];
        const words = [...ourCommand, ...flagsOf(`wide-${slug}`, ...own)];
        const { code, stdout, stderr } = await launch(mpi, 2, words).ended;
        expect(code, stderr).toBe(0);
        const lines = stdout.split('\n');
        expect(lines[0]).toMatch(new RegExp(`^${mpi.name} v?[\\d.]+, 2 ranks$`));
        expect(lines.filter((line) => line.startsWith('VGG16BN on cifar10'))).toHaveLength(1);
        expect(lines.filter((line) => line.startsWith('finished after 2 steps'))).toHaveLength(1);
      });

      beforeAll(async () => {
        const { code, stderr } = await launched(mpi, 2, flagsOf(`whole-${slug}`));
        expect(code, stderr).toBe(0);
      }, 180_000);

      test('let nobody else write where one writes', async () => {
        const refused = await launched(mpi, 2, flagsOf(`whole-${slug}`));
        expect(refused.code).toBe(2);
        expect(told(refused.stderr)).toEqual([
          expect.stringContaining('holds the checkpoints of an earlier run; add --resume'),
        ]);
      });

      test('go on to the same bits, in the same number only', async () => {
        const dir = `parts-${slug}`;
        expect((await launched(mpi, 2, flagsOf(dir, '--steps', '2'))).code).toBe(0);
        const three = await launched(mpi, 3, flagsOf(dir, '--resume'));
        expect(three.code).toBe(2);
        expect(told(three.stderr)).toEqual([
          expect.stringMatching(
            /the run began on 2 ranks, not on 3 ranks; start it by mpirun -np 2/,
          ),
        ]);
        const rest = await launched(mpi, 2, flagsOf(dir, '--resume'));
        expect(rest.code, rest.stderr).toBe(0);
        expectSame(dir, `whole-${slug}`);
      });

      test('all end when one is killed, and go on from a whole checkpoint', async () => {
        const dir = `killed-${slug}`;
        const running = launched(mpi, 2, flagsOf(dir, '--save-every-steps', '1'));
        while (!listed(dir).some((name) => name.startsWith('checkpoint-0-step-1'))) await pause(20);
        process.kill(pidOfRank(1, mpi.rankVariable, at(dir)), 'SIGKILL');
        const killed = performance.now();
        const { code } = await running;
        expect(performance.now() - killed).toBeLessThan(30_000);
        expect(code).not.toBe(0);
        expect(newestCheckpoint(at(dir)).skipped).toEqual([]);
        const rest = await launched(mpi, 2, flagsOf(dir, '--resume'));
        expect(rest.code, rest.stderr).toBe(0);
        expectSame(dir, `whole-${slug}`);
      });

      test('all end, in one line that names it, when one fails alone', async () => {
        const running = launched(
          mpi,
          2,
          flagsOf(`full-${slug}`, '--epochs', '5', '--save-freq', '5'),
        );
        // A directory in the place of the next checkpoint's file, a hundred steps on: rank 0 cannot write it.
        while (!listed(`full-${slug}`).includes('checkpoint-0.safetensors')) await pause(20);
        mkdirSync(join(at(`full-${slug}`), 'checkpoint-5.safetensors', 'in-the-way'), {
          recursive: true,
        });
        const { code, stderr } = await running;
        expect(code).toBe(2);
        expect(told(stderr)).toEqual([
          expect.stringMatching(/^swa-align: rank 0 of 2 on \S+: .*checkpoint-5\.safetensors: /),
        ]);
      });

      test('all end, in one line that names it, when one reads other data', async () => {
        const script = `if [ "$${mpi.rankVariable}" = 1 ]; then set -- "$@" --data-path '${at('other')}'; fi; exec "$@"`;
        const words = ['sh', '-c', script, 'sh', ...narrowCommand(), ...flagsOf(`data-${slug}`)];
        const { code, stderr } = await launch(mpi, 2, words).ended;
        expect(code).toBe(2);
        expect(told(stderr)).toEqual([
          expect.stringMatching(
            /^swa-align: rank 1 of 2 on \S+: has not rank 0's training images; start all ranks with the same package and data$/,
          ),
        ]);
        expect(listCheckpoints(at(`data-${slug}`))).toEqual([]);
      });
    });

    test.skipIf(mpis.length < 2)('end in the same bits by either', () => {
      const [one, two] = mpis.map(({ name }) => `wide-${name.replace(' ', '')}`);
      expectSame(one, two);
    });
  },
);

const listed = (dir: string): string[] => {
  try {
    return readdirSync(at(dir));
  } catch {
    return [];
  }
};

/** The process that is this rank of the run in `dir`. */
function pidOfRank(rank: number, variable: string, dir: string): number {
  const text = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const pid = readdirSync('/proc').find(
    (name) =>
      /^\d+$/.test(name) &&
      text(name, 'cmdline').includes(`\0${dir}\0`) &&
      text(name, 'environ').includes(`${variable}=${rank}\0`),
  );
  if (pid === undefined) throw new Error(`rank ${rank} runs no more`);
  return Number(pid);
}
