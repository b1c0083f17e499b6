import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listCheckpoints } from '../src/train/checkpoint/checkpointFiles.ts';
import {
  differences,
  filesOf,
  flagsOf,
  live,
  messages,
  openWorkplace,
  type Workplace,
} from './soak.ts';

const lock = '.swa-align.lock';
const synthetic = fileURLToPath(new URL('../fixtures/synthetic', import.meta.url));

// Signals, and a shell that reads what is printed, are a Unix system's.
describe.skipIf(process.platform === 'win32')('processes that train', () => {
  let place: Workplace;
  let expected: Map<string, Buffer>;
  const at = (name: string): string => join(place.dir, name);
  const withoutDir = (flags: readonly string[]): string[] =>
    flags.filter((flag, i) => flag !== '--dir' && flags[i - 1] !== '--dir');

  beforeAll(async () => {
    place = openWorkplace();
    const { code, stderr } = await live(place, at('whole'), flagsOf(at('whole')));
    expect(code, stderr).toBe(0);
    expected = filesOf(at('whole'));
  }, 120_000);
  afterAll(() => place?.remove());

  describe('begun together', () => {
    test('in the default directory each has its own', async () => {
      const runs = ['one', 'two'].map((name) =>
        live(place, at(name), withoutDir(flagsOf(at(name)))),
      );
      for (const { code, stderr } of await Promise.all(runs)) expect(code, stderr).toBe(0);
      const name = 'vgg16bn-synthetic-swa-seed1';
      expect(readdirSync(at('checkpoints')).sort()).toEqual([name, `${name}-2`]);
      for (const directory of readdirSync(at('checkpoints'))) {
        // The log of steps lies beside in `one` and `two`.
        expect(differences(expected, at(`checkpoints/${directory}`))).toEqual(['steps.csv']);
      }
      const reports = readdirSync(at('reports')).filter((report) => report.startsWith(name));
      expect(reports.sort()).toEqual([name, `${name}-2`]);
    });

    /** Runs the second while the first, by then holding that lock, is kept from going on. */
    async function beside(file: string, first: readonly string[], second: readonly string[]) {
      const running = live(place, at('unused'), first);
      while (!existsSync(file) || !readFileSync(file, 'utf8').endsWith('\n')) await pause(10);
      const { pid } = JSON.parse(readFileSync(file, 'utf8'));
      process.kill(pid, 'SIGSTOP');
      const refused = await live(place, at('unused'), second);
      process.kill(pid, 'SIGCONT');
      const { code, stderr } = await running;
      expect(code, stderr).toBe(0);
      return { ...refused, pid };
    }

    test('in one named directory the second is refused, and told who holds it', async () => {
      const dir = at('named');
      const refused = await beside(join(dir, lock), flagsOf(dir), flagsOf(dir));
      expect(refused.code).toBe(2);
      expect(messages(refused)).toEqual([
        expect.stringMatching(
          `^swa-align: \\S+named: another run is writing here \\(process ${refused.pid} on .+, since 2.* UTC\\); wait until it has ended, or give another --dir$`,
        ),
      ]);
      expect(differences(expected, dir)).toEqual([]);
    });

    test('with one log of steps, too', async () => {
      const [a, b] = [at('logs-a'), at('logs-b')];
      const flags = [...flagsOf(a), '--no-report'];
      const refused = await beside(
        join(a, 'steps.csv.lock'),
        flags,
        flags.map((flag) => (flag === a ? b : flag)),
      );
      expect(refused.code).toBe(2);
      expect(messages(refused)).toEqual([
        expect.stringMatching(/steps\.csv: another run .*, or give --log-steps another file$/),
      ]);
      expect(existsSync(b)).toBe(false);
    });

    test('with one directory of reports, too', async () => {
      const report = ['--report', at('one-report')];
      const [a, b] = [at('a'), at('b')];
      const refused = await beside(
        join(at('one-report'), lock),
        [...flagsOf(a), ...report],
        [...flagsOf(b), ...report],
      );
      expect(refused.code).toBe(2);
      expect(messages(refused)).toEqual([
        expect.stringMatching(
          /one-report: another run .*, or give another --report, or --no-report$/,
        ),
      ]);
      expect(existsSync(b)).toBe(false);
    });
  });

  test('what a killed process held is free at once: --resume auto begins, then goes on', async () => {
    const dir = at('auto');
    const flags = [...flagsOf(dir), '--save-every-steps', '1', '--keep', '2', '--resume', 'auto'];
    const moment = { after: 'step', count: 4, delayMs: 0, signal: 'SIGKILL' } as const;
    expect((await live(place, dir, flags, { moment })).signal).toBe('SIGKILL');
    expect(existsSync(join(dir, lock))).toBe(true);
    expect(listCheckpoints(dir).length).toBeGreaterThan(0);
    const ended = await live(place, dir, flags);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/, from .*checkpoint-0-step-\d+/);
    expect(differences(expected, dir).filter((name) => !name.startsWith('checkpoint-'))).toEqual(
      [],
    );
    // A scheduler that calls once more finds nothing left to do.
    expect((await live(place, dir, flags)).code).toBe(0);
  });

  describe('asked to stop', () => {
    /** The synthetic set as if it were CIFAR-10, in a place that a shell has to be told with care. */
    const data = (): string => at("data of 'ours'");
    beforeAll(() => cpSync(synthetic, data(), { recursive: true }));

    const flagsWithData = (dir: string): string[] => [
      ...flagsOf(dir).map((flag) => (flag === 'synthetic' ? 'cifar10' : flag)),
      ...['--data-path', data()],
    ];
    const atStep = (count: number, signal: NodeJS.Signals) =>
      ({ after: 'step', count, delayMs: 0, signal }) as const;
    const typed = (line: string) =>
      spawnSync('sh', ['-c', line], { cwd: place.dir, encoding: 'utf8' });
    const goesOnWith = ({ stdout }: { readonly stdout: string }): string =>
      /^continue with: (.*)$/m.exec(stdout)?.[1] ?? 'false';
    /** What a run leaves besides its checkpoints, which tell the name of the data set. */
    const otherEnd = (dir: string): string[] =>
      differences(expected, dir).filter((name) => !/^checkpoint-|^data\.json$/.test(name));

    test('by Ctrl-C it ends with 130 and prints the command that goes on', async () => {
      const dir = at("run 'a'");
      const flags = [...flagsWithData(dir), '--save-every-steps', '7'];
      const ended = await live(place, dir, flags, { moment: atStep(5, 'SIGINT') });
      expect(ended.code, ended.stderr).toBe(130);
      const line = goesOnWith(ended);
      expect(line).toContain('--save-every-steps 7');
      const next = typed(line);
      expect(next.status, next.stderr).toBe(0);
      expect(otherEnd(dir)).toEqual([]);
    });

    test('by SIGTERM amid several seeds it ends with 143, and the same command goes on', async () => {
      const dir = at('seeds');
      const flags = withoutDir(flagsOf(dir)).filter(
        (flag, i, all) => !/^--log-steps$/.test(flag) && all[i - 1] !== '--log-steps',
      );
      const first = join(dir, 'swa-seed1');
      const moment = { after: 'write', count: 1, delayMs: 0, signal: 'SIGTERM' } as const;
      const ended = await live(place, first, [...flags, '--dir', dir, '--seeds', '1,2'], {
        moment,
      });
      expect(ended.code, ended.stderr).toBe(143);
      const next = typed(goesOnWith(ended));
      expect(next.status, next.stderr).toBe(0);
      expect(readdirSync(dir).sort()).toEqual(['seeds.json', 'seeds.md', 'swa-seed1', 'swa-seed2']);
      expect(otherEnd(first)).toEqual(['steps.csv']);
    });

    test('by a lost connection it ends with 129, and the checkpoint alone finds the data', async () => {
      const dir = at('hung-up');
      const ended = await live(place, dir, flagsWithData(dir), { moment: atStep(5, 'SIGHUP') });
      expect(ended.code).toBe(129);
      const [{ path }] = listCheckpoints(dir);
      const resume = [
        'train',
        '--resume',
        path,
        '--threads',
        '1',
        '--log-steps',
        join(dir, 'steps.csv'),
      ];

      renameSync(data(), `${data()} moved`);
      const gone = await live(place, dir, resume);
      expect(gone.code).toBe(2);
      expect(messages(gone)).toEqual([
        `swa-align: ${data()}: the data set that the run began with is no longer there; give the directory of the data set with --data-path`,
      ]);
      renameSync(`${data()} moved`, data());
      const next = await live(place, dir, [
        ...resume,
        '--save-freq',
        '1',
        '--report',
        at('report'),
      ]);
      expect(next.code, next.stderr).toBe(0);
      expect(otherEnd(dir)).toEqual([]);
    });
  });
});
