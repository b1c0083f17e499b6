/** What becomes of a command, a process of its own, whose output is not taken. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeNpz } from '../io/numpy/npz.ts';
import { tensor } from '../tensor/tensor.ts';
import { narrowCommand, ourCommand, runProcess, shell } from './testdata/commandProcess.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir } = commandTest('lost-output');

const recording = (name: string, value: number): string => {
  const path = join(dir, name);
  const a = tensor('float32', [1], Float32Array.of(value));
  writeFileSync(path, writeNpz(new Map([['a', a]])));
  return path;
};
const closed = (...words: string[]) => runProcess([...ourCommand, ...words], { closed: true });
const noReader = { stdout: '', stderr: '' };

describe('a closed standard output', () => {
  it.each([['--help'], ['--version'], ['profiles']])('%s ends in silence', async (word) => {
    expect(await closed(word)).toEqual({ code: 0, ...noReader });
  });

  it.each([
    ['equal', 1, 0],
    ['other', 2, 1],
  ])('compare of %s numbers writes its log and ends by its result', async (name, value, code) => {
    const [a, b] = [recording('a.npz', 1), recording(`${name}.npz`, value)];
    const log = join(dir, `${name}.log`);
    expect(await closed('compare', a, b, '--log', log)).toEqual({ code, ...noReader });
    expect(readFileSync(log, 'utf8')).toContain(`diff check ${code === 0 ? 'passed' : 'failed'}`);
  });

  it('diff writes its reports', async () => {
    const out = join(dir, 'diff');
    expect((await closed('diff', 'loss', '--model', 'vgg16', '--out', out)).code).toBe(0);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['diff.html', 'loss_diff.log']));
  });

  it('train goes on to its end', async () => {
    const run = join(dir, 'run');
    const flags = '--dataset synthetic --model vgg16bn --batch-size 2 --steps 2 --no-report';
    const words = ['train', ...flags.split(' '), '--dir', run];
    const { code, stderr } = await runProcess([...narrowCommand(), ...words], { closed: true });
    expect(code, stderr).toBe(0);
    expect(readdirSync(run)).toEqual(
      expect.arrayContaining(['checkpoint-0-step-2.safetensors', 'vgg16bn.safetensors']),
    );
  });
});

describe.skipIf(process.platform === 'win32')(
  'a standard output that takes no more (POSIX)',
  () => {
    it.skipIf(!existsSync('/dev/full'))('is told in one line, and the log written', async () => {
      const [a, log] = [recording('a.npz', 1), join(dir, 'full.log')];
      const line = 'exec "$@" > /dev/full';
      expect(await runProcess(shell(line, 'compare', a, a, '--log', log))).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'swa-align: standard output: no space left on the disk; free some space and try again\n',
      });
      expect(readFileSync(log, 'utf8')).toContain('diff check passed');
      const help = await runProcess(shell(line, '--help'));
      expect([help.code, help.stderr.split('\n').length]).toEqual([2, 2]);
    });

    it('is noticed when it takes a part of what is written last', async () => {
      const path = join(dir, 'part.txt');
      const { code, stderr } = await runProcess(
        shell(`ulimit -f 1; exec "$@" > '${path}'`, 'profiles'),
      );
      expect(code).toBe(2);
      expect(stderr).toMatch(/^swa-align: standard output: the file is too large .*\n$/);
      expect(statSync(path).size).toBeGreaterThan(0);
    });

    it.skipIf(!existsSync('/dev/full'))('matters not where it is standard error', async () => {
      const { code, stdout } = await runProcess(shell('exec "$@" 2> /dev/full', 'profiles'));
      expect([code, stdout.startsWith('profile')]).toEqual([0, true]);
      expect((await runProcess(shell('exec "$@" 2> /dev/full', 'nonsense'))).code).toBe(2);
    });
  },
);
