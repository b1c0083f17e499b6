import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ourCommand, runProcess } from './testdata/commandProcess.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir } = commandTest('diff-together');
const lock = '.swa-align.lock';

const diff = (...words: string[]): string[] => [
  ...ourCommand,
  ...['diff', 'loss', '--model', 'vgg16'],
  ...words,
];

/** A process of its own, kept from going on once it has claimed `directory`. */
async function begun(directory: string, words: readonly string[]) {
  const child = spawn(words[0], words.slice(1), { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  while (child.exitCode === null && !existsSync(join(directory, lock))) await pause(10);
  child.kill('SIGSTOP');
  return { child, ended };
}

// A process is stopped and let go on by a Unix system's signals.
const unixTest = test.skipIf(process.platform === 'win32');

unixTest(
  'two in one folder do not mix their files: the second is refused, and told of the first',
  async () => {
    const [out, report] = [join(dir, 'out'), join(dir, 'report')];
    const first = await begun(report, diff('--out', out, '--report', report));
    const wait = (where: string) =>
      `swa-align: ${where}: another run is writing here (process ${first.child.pid} on `;
    const second = await runProcess(diff('--out', out, '--report', join(dir, 'other')));
    expect([second.code, second.stdout]).toEqual([2, '']);
    expect(second.stderr.startsWith(wait(out)), second.stderr).toBe(true);
    expect(second.stderr).toMatch(/; wait until it has ended, or give another --out\n$/);

    const third = await runProcess(diff('--out', join(dir, 'other'), '--report', report));
    expect([third.code, third.stdout]).toEqual([2, '']);
    expect(third.stderr.startsWith(wait(report)), third.stderr).toBe(true);
    expect(third.stderr).toMatch(/ or give another --report, or --no-report\n$/);
    expect(existsSync(join(dir, 'other'))).toBe(false);

    first.child.kill('SIGCONT');
    expect(await first.ended).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['loss_diff.log', 'loss_pytorch.npy', 'loss_ts.npy']);
    expect(readdirSync(report).sort()).toEqual(['diff.html', 'diff.md']);
  },
);

unixTest('one that was killed is in nobody’s way', async () => {
  const out = join(dir, 'killed');
  const first = await begun(out, diff('--out', out));
  first.child.kill('SIGKILL');
  await first.ended;
  expect(readdirSync(out)).toContain(lock);
  const second = await runProcess(diff('--out', out));
  expect(second.code, second.stderr).toBe(0);
  expect(readdirSync(out)).not.toContain(lock);
});
